"""What has become of campaigns; they are declared as everything else is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.domain.orchestration.campaign import Campaign, CampaignSums
from metadata_server.domain.page import not_a_token, page_size
from metadata_server.store.intent.absence import absent
from metadata_server.store.orchestration.campaigns import sums_of
from metadata_server.store.orchestration.operation_lists import place_in, token_of
from metadata_server.store.schema import campaign
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

LIST = "campaign sums"


@dataclass(frozen=True, slots=True)
class SumsPage:
    """Some sums, by the ids of their campaigns."""

    sums: Sequence[CampaignSums]
    next_page_token: str = ""


class Campaigns:
    """Tells how far campaigns are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def sums(self, ids: Collection[str], *, size: int, token: str) -> Answer[SumsPage]:
        """A page of sums; no ids: of all campaigns.

        Raises:
            Refused: CAMPAIGN_NOT_FOUND, INVALID_FIELD, INVALID_PAGE_TOKEN.
        """
        return await self._store.read(lambda unit: page(unit, ids, size=size, token=token))


def page(unit: UnitOfWork, ids: Collection[str], *, size: int, token: str) -> SumsPage:
    count = page_size(size)
    after = place_of(token) if token else ""
    known = unit.resources.find(Campaign, ids)
    for id in ids:
        if id not in known:
            raise absent(unit.connection, Kind.CAMPAIGN, id)
    if ids:
        found = [known[id] for id in sorted(known) if id > after][: count + 1]
    else:
        found = unit.resources.where(Campaign, campaign.c.id > after, limit=count + 1)
    more = token_of(LIST, [found[count - 1].id]) if len(found) > count else ""
    return SumsPage(sums_of(unit, found[:count]), more)


def place_of(token: str) -> str:
    """Raises: Refused: INVALID_PAGE_TOKEN."""
    place = place_in(token, LIST)
    if len(place) != 1 or type(place[0]) is not str or not BEGINS_AN_ID.match(place[0]):
        raise not_a_token(token)
    return place[0]
