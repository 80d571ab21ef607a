"""Campaigns: aims that take many operations, and how far they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from metadata_server.domain.names import Kind
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource

MOST_UNITS = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign(Resource):
    """An aim; `description` says what for.

    Attributes:
        target_units: how many shall be reached; 0: as many as orders are given for.
        due_time_us: by when; 0: nobody says.
        closed: it takes no more orders.
    """

    kind: ClassVar[Kind] = Kind.CAMPAIGN

    target_units: int = 0
    due_time_us: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSums:
    """What has become of a campaign. Units count once, by the newest operation of it that has a
    step for them; steps back do not count.

    Attributes:
        retried: units that it took more than one try or more than one operation for.
        left_out: also those whose steps were ended.
    """

    campaign: str
    operations: int = 0
    reached: int = 0
    failed: int = 0
    retried: int = 0
    under_way: int = 0
    left_out: int = 0

    @property
    def requested(self) -> int:
        return self.reached + self.failed + self.under_way + self.left_out


def campaign_faults(campaign: Campaign) -> Iterator[WrongField]:
    if not 0 <= campaign.target_units <= MOST_UNITS:
        expected = f"a number of units up to {MOST_UNITS}, or 0 for as many as are ordered"
        yield WrongField("target_units", str(campaign.target_units), expected)
