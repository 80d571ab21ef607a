"""What campaigns have to do with operations: which step of each unit counts, and the sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import case, func, or_, select

from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.campaign import Campaign, CampaignSums
from metadata_server.domain.orchestration.operation import Operation
from metadata_server.domain.refused import Refused
from metadata_server.store.keys import batches
from metadata_server.store.orchestration.operation_tables import operation
from metadata_server.store.orchestration.operation_tables import operation_step as step
from metadata_server.store.unit_of_work import UnitOfWork


def open_campaign(unit: UnitOfWork, id: str) -> int:
    """The key of a campaign that orders may be given for.

    Raises:
        Refused: CAMPAIGN_NOT_FOUND, CAMPAIGN_CLOSED.
    """
    found = unit.resources.get(Campaign, id)
    if found.closed:
        raise Refused.precondition(
            "CAMPAIGN_CLOSED",
            f"{found.name} is closed: it takes no more orders. Open it again, or leave it out.",
            name=found.name,
        )
    return found.meta.key


def steps_had(unit: UnitOfWork, campaign_key: int, unit_keys: Iterable[int]) -> Mapping[int, int]:
    """How many steps a campaign has had for units, by their keys; these count no more.

    Args:
        campaign_key: 0: of no campaign.
    """
    had: dict[int, int] = {}
    if not campaign_key:
        return had
    for some in batches(sorted(set(unit_keys))):
        counting = (step.c.campaign_key == campaign_key, step.c.unit_key.in_(some))
        query = select(step.c.unit_key, step.c.earlier).where(*counting)
        had |= {row[0]: row[1] + 1 for row in unit.connection.execute(query)}
        unit.connection.execute(step.update().where(*counting).values(campaign_key=None))
    return had


def join_campaign(unit: UnitOfWork, given: Operation, had: Mapping[int, int]) -> None:
    """Has the steps of a new operation count for its campaign, if it has one.

    Args:
        had: how many steps the campaign has had for units before, by their keys.
    """
    if not given.campaign_key:
        return
    own = step.c.operation_key == given.key
    unit.connection.execute(step.update().where(own).values(campaign_key=given.campaign_key))
    alike: dict[int, list[int]] = defaultdict(list)
    for unit_key, count in had.items():
        alike[count].append(unit_key)
    for count, keys in alike.items():
        for some in batches(sorted(keys)):
            counting = step.update().where(own, step.c.unit_key.in_(some))
            unit.connection.execute(counting.values(earlier=count))


@dataclass(slots=True)
class Tally:
    """Units of a campaign, by where their steps stand, and those that were tried again."""

    units: dict[StepState, int] = field(default_factory=lambda: defaultdict(int))
    retried: int = 0


def sums_of(unit: UnitOfWork, campaigns: Sequence[Campaign]) -> list[CampaignSums]:
    """The sums of campaigns, in their order."""
    keys = sorted(each.meta.key for each in campaigns)
    tallies: dict[int, Tally] = defaultdict(Tally)
    operations: dict[int, int] = {}
    again = case((or_(step.c.attempts > 1, step.c.earlier > 0), 1), else_=0)
    for some in batches(keys):
        query = (
            select(step.c.campaign_key, step.c.state, func.count(), func.sum(again))
            .where(step.c.campaign_key.in_(some))
            .group_by(step.c.campaign_key, step.c.state)
        )
        for key, state, units, retried in unit.connection.execute(query):
            tallies[key].units[StepState(state)] += units
            tallies[key].retried += int(retried)
        given = select(operation.c.campaign_key, func.count()).group_by(operation.c.campaign_key)
        given = given.where(operation.c.campaign_key.in_(some))
        operations |= {row[0]: row[1] for row in unit.connection.execute(given)}
    return [
        told(each, operations.get(each.meta.key, 0), tallies[each.meta.key]) for each in campaigns
    ]


def told(campaign: Campaign, operations: int, tally: Tally) -> CampaignSums:
    units = tally.units
    return CampaignSums(
        campaign=campaign.id,
        operations=operations,
        reached=units[StepState.COMPLETED],
        failed=units[StepState.ERROR],
        retried=tally.retried,
        under_way=units[StepState.PENDING] + units[StepState.EXECUTING],
        left_out=units[StepState.ABORTED] + units[StepState.SKIPPED],
    )
