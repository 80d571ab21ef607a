"""Moves control units to another version of their template: told beforehand, unit by unit, and
done as one change set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.bundle import Decision, Item, ItemAction, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.fit import unit_misfits
from metadata_server.domain.intent.rebase import (
    Comparison,
    RebaseOutcome,
    UnitRebase,
    without_faults,
)
from metadata_server.domain.intent.template import Template, VersionState
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.edits import not_there, still_selected
from metadata_server.services.intent.plans import Applied, Applying, carry_out
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.versioning import version_of
from metadata_server.services.life.configurations import Configurations, Start
from metadata_server.store.intent.unit_selections import selected_units
from metadata_server.store.life.datasets import Dataset, datasets_of
from metadata_server.store.life.running import running_units
from metadata_server.store.life.standings import standings_of
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

TRIES = 3
"""What is dropped because of one fault may bring out another, of a requirement between two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where units are to be moved.

    Attributes:
        template: id.
        version: 0: the newest published one.
        selection: which of the template's units; those that stand there already are left out.
        drop_conflicting: what units change of their own and stands against the version goes.
    """

    template: str
    version: int = 0
    selection: UnitSelection = field(default_factory=UnitSelection)
    drop_conflicting: bool = False


@dataclass(frozen=True, slots=True)
class Rebased:
    """What it came to; `units` are empty when a repeated request is answered."""

    applied: Applied
    units: Sequence[UnitRebase]


@dataclass(frozen=True, slots=True)
class Move:
    """One unit as it is, and as it would be on the other version.

    Attributes:
        dataset: hash of what it published; empty: nothing yet.
    """

    before: ControlUnit
    after: ControlUnit
    dataset: str
    dropped: tuple[str, ...] = ()


class Rebases:
    """Moves units between versions."""

    def __init__(self, store: Store, configurations: Configurations) -> None:
        self._store = store
        self._configurations = configurations

    async def rebase(
        self, caller: Caller, target: Target, how: Applying, progress: ApplyProgress
    ) -> Answer[Rebased]:
        """Plans it, and does it unless it is only a try.

        Raises:
            Refused: TEMPLATE_NOT_FOUND, STILL_A_DRAFT, VERSION_DEPRECATED, PLAN_MOVED,
                REQUEST_ID_REUSED, CONTENTION. Problems of units are not raised: they stand in
                the decisions.
        """

        replacing = replace(how, on_conflict=OnConflict.REPLACE)

        def work(unit: UnitOfWork) -> Rebased:
            moves = Moves(unit, target)
            applied = carry_out(unit, lambda _: moves.items(), replacing, progress)
            told = moves.told(self._configurations, applied.decisions)
            return Rebased(applied, told)

        return await self._store.transact(work, caller=caller)


class Moves:
    """The moves of some units, within one transaction."""

    def __init__(self, unit: UnitOfWork, target: Target) -> None:
        self._unit = unit
        self._target = target
        self._moves: dict[str, Move] = {}
        self._hashes: dict[int, str] = {}
        self._datasets: dict[str, Dataset] = {}

    def items(self) -> list[Item]:
        """What the units shall be, sorted by id; and names that no unit has. They are read
        without a lock, which they get with all else; then they move as they are by that time."""
        selection = replace(self._target.selection, template=self._target.template)
        units = selected_units(self._unit, selection)
        head = self._unit.resources.get(Template, self._target.template)
        version = usable(self._unit, head, self._target.version)
        moving = [each for each in units if each.template_version != version.version]
        standings = standings_of(self._unit, [each.meta.key for each in moving])
        self._hashes = {key: standing.dataset for key, standing in standings.items()}
        if self._target.drop_conflicting:
            self._datasets = datasets_of(self._unit, self._hashes.values())
        items = [
            Item(
                "",
                each.name,
                replace(each, template_version=version.version),
                change=partial(self._moved, each, version),
            )
            for each in moving
        ]
        return items + unknown(self._unit, selection.ids)

    def _moved(self, read: ControlUnit, version: Template, there: Resource) -> ControlUnit:
        before = still_selected(self._target.selection, read, there)
        digest = self._hashes.get(before.meta.key, "")
        move = Move(before, replace(before, template_version=version.version), digest)
        if self._target.drop_conflicting:
            move = without_conflicts(move, version, self._datasets.get(digest))
        self._moves[before.id] = move
        return move.after

    def told(
        self, configurations: Configurations, decisions: Iterable[Decision]
    ) -> list[UnitRebase]:
        """What was decided, unit by unit."""
        pairs = [
            (self._moves[id], decision)
            for decision in decisions
            if decision.item.resource is not None
            and (id := decision.item.resource.id) in self._moves
        ]
        if not pairs:
            return []
        key = self._unit.keys.key_of(Kind.TEMPLATE, self._target.template)
        comparisons = compared(self._unit, configurations, key, [move for move, _ in pairs])
        running = running_units(self._unit, (move.before.meta.key for move, _ in pairs))
        return [
            told_of(
                move,
                decision,
                comparisons[pair_of(key, move)],
                is_running=move.before.meta.key in running,
            )
            for move, decision in pairs
        ]


Pair = tuple[Start, Start]
"""What a unit starts from, and what it would start from."""


def pair_of(key: int, move: Move) -> Pair:
    before, after = move.before.template_version, move.after.template_version
    return (key, before, move.dataset), (key, after, move.dataset)


def compared(
    unit: UnitOfWork, configurations: Configurations, key: int, moves: Iterable[Move]
) -> Mapping[Pair, Comparison]:
    """In what the two sides of moves differ, once for all that share them."""
    pairs = {pair_of(key, move) for move in moves}
    bases = configurations.bases(unit, {start for pair in pairs for start in pair})
    return {
        (before, after): Comparison(bases[before].narrowing, bases[after].narrowing)
        for before, after in pairs
    }


def told_of(
    move: Move, decision: Decision, comparison: Comparison, *, is_running: bool
) -> UnitRebase:
    before, after = move.before, move.after
    differences = comparison.differences(before, after)
    if move.dropped or decision.action is ItemAction.REJECTED:
        outcome = RebaseOutcome.CONFLICT
    elif comparison.removes(before, after):
        outcome = RebaseOutcome.REMOVED_PARAMETER
    elif differences:
        outcome = RebaseOutcome.CHANGED_DEFAULT
    else:
        outcome = RebaseOutcome.UNAFFECTED
    return UnitRebase(
        before.id, before.template_version, outcome, differences, move.dropped, is_running
    )


def without_conflicts(move: Move, version: Template, dataset: Dataset | None) -> Move:
    """A move without what the unit changes of its own and stands against the version."""
    published = dataset.attributes if dataset else None
    for _ in range(TRIES):
        faults = tuple(unit_misfits(move.after, version, published))
        after, dropped = without_faults(move.after, faults)
        if not dropped:
            break
        move = replace(move, after=after, dropped=move.dropped + dropped)
    return move


def usable(unit: UnitOfWork, head: Template, version: int) -> Template:
    """The version that units are to be moved to.

    Raises:
        Refused: TEMPLATE_NOT_FOUND, STILL_A_DRAFT, VERSION_DEPRECATED.
    """
    wanted = version or head.published_version
    found = version_of(unit, head, wanted) if wanted else head
    if found.version_state is VersionState.DRAFT:
        raise Refused.precondition(
            "STILL_A_DRAFT",
            f"Version {found.version} of {head.name} is a draft, which no unit may use: publish "
            "it first.",
            name=head.name,
            version=found.version,
        )
    if found.version_state is VersionState.DEPRECATED:
        raise Refused.invalid(
            "VERSION_DEPRECATED",
            f"Version {found.version} of {head.name} is deprecated, and takes no units; the newest "
            f"published version is {head.published_version or 'none'}.",
            name=head.name,
            version=found.version,
        )
    return found


def unknown(unit: UnitOfWork, ids: Sequence[str]) -> list[Item]:
    """Items for ids that no unit has, each with its fault."""
    return [
        not_there(id) for id in sorted(set(ids) - unit.keys.find(Kind.CONTROL_UNIT, ids).keys())
    ]
