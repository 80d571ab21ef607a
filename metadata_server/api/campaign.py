"""Sums of campaigns on the wire, besides the standard methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mds.v1 import campaign_pb2

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages.asked_list import asked_page_of
from metadata_server.api.messages.campaign import sums_message
from metadata_server.api.messages.position import position_message
from metadata_server.api.messages.reading import Reading
from metadata_server.domain.filter.vocabulary import CAMPAIGN_SUMS
from metadata_server.domain.names import Kind
from metadata_server.services.orchestration.campaigns import Campaigns


class CampaignMethods:
    """Handlers for what can be asked of campaigns besides the standard methods."""

    def __init__(self, campaigns: Campaigns) -> None:
        self._campaigns = campaigns

    def handlers(self) -> dict[str, Callable[[Any, Context], Any]]:
        """Handlers by method name."""
        return {"ListCampaignSums": self.list_sums}

    async def list_sums(
        self, request: campaign_pb2.ListCampaignSumsRequest, context: Context
    ) -> campaign_pb2.ListCampaignSumsResponse:
        reading = Reading()
        ids = [
            reading.id(Kind.CAMPAIGN, name, f"campaigns[{place}]")
            for place, name in enumerate(request.campaigns)
        ]
        reading.finish()
        answer = await self._campaigns.sums(
            ids, asked_page_of(request, CAMPAIGN_SUMS, of=" ".join(ids))
        )
        tell_position(context, answer.position)
        return campaign_pb2.ListCampaignSumsResponse(
            sums=map(sums_message, answer.value.items),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.position),
        )
