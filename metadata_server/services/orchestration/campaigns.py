"""What has become of campaigns; they are declared as everything else is."""

from __future__ import annotations

from collections.abc import Collection

from metadata_server.domain.filter.asked_list import AskedList, ListPage, page_of
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.campaign import Campaign, CampaignSums
from metadata_server.store.intent.scopes import ids_there
from metadata_server.store.orchestration.campaigns import sums_of
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


class Campaigns:
    """Tells how far campaigns are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def sums(self, ids: Collection[str], asked: AskedList) -> Answer[ListPage[CampaignSums]]:
        """A page of sums; no ids: of all campaigns.

        Raises:
            Refused: CAMPAIGN_NOT_FOUND, INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
        """

        def work(unit: UnitOfWork) -> ListPage[CampaignSums]:
            def tell(some: Collection[str]) -> list[CampaignSums]:
                return sums_of(unit, list(unit.resources.find(Campaign, some).values()))

            there = ids_there(unit, Kind.CAMPAIGN, ids)
            return page_of(there, tell, asked, now_us=unit.now_us)

        return await self._store.read(work)
