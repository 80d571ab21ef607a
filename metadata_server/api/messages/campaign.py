"""Campaigns on the wire."""

from __future__ import annotations

from mds.v1 import campaign_pb2

from metadata_server.api.messages.position import time_message, time_us_of
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.resource import shared_content, shared_fields
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.campaign import Campaign, CampaignSums


def campaign_message(campaign: Campaign) -> campaign_pb2.Campaign:
    return campaign_pb2.Campaign(
        **shared_fields(campaign),
        target_units=campaign.target_units,
        due_time=time_message(campaign.due_time_us),
        closed=campaign.closed,
    )


def campaign_of(message: campaign_pb2.Campaign, id: str, _: Reading) -> Campaign:
    return Campaign(
        **shared_content(message, id),
        target_units=message.target_units,
        due_time_us=time_us_of(message.due_time),
        closed=message.closed,
    )


def sums_message(sums: CampaignSums) -> campaign_pb2.CampaignSums:
    return campaign_pb2.CampaignSums(
        campaign=Kind.CAMPAIGN.name_of(sums.campaign),
        operations=sums.operations,
        requested=sums.requested,
        reached=sums.reached,
        failed=sums.failed,
        retried=sums.retried,
        under_way=sums.under_way,
        left_out=sums.left_out,
    )
