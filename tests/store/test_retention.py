"""Trimming: what is before the horizon is gone, what is after it can be read as it was."""

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import func, select

from metadata_server.domain.change import Caller, Position
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent, Variable
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.page import Selection
from metadata_server.domain.refused import Refused
from metadata_server.store import schema
from metadata_server.store.intent.lists import resource_page
from metadata_server.store.intent.shelf import Shelf
from metadata_server.store.past import retention
from metadata_server.store.past.retention import horizon_of, trim_kind
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.shelves import shelf_of

IDS = ["a", "b", "c", "d"]


@dataclass
class Facility:
    """Variables, and what they were at each revision."""

    store: Store
    caller: Caller
    present: dict[str, Variable] = field(default_factory=dict)
    past: dict[int, dict[str, Variable]] = field(default_factory=dict)
    shelf: Shelf[Variable] = field(default_factory=lambda: shelf_of(Variable))

    def save(self, id: str, value: str) -> int:
        before = self.present.get(id, Variable(id=id))
        answer = self.store.transact_now(
            lambda unit: unit.save(replace(before, value=value)), caller=self.caller
        )
        self.present[id] = answer.value  # type: ignore[assignment]
        return self._remember(answer.position)

    def delete(self, id: str) -> int:
        gone = self.present.pop(id)
        answer = self.store.transact_now(lambda unit: unit.delete(gone), caller=self.caller)
        return self._remember(answer.position)

    def bring_back(self, gone: Variable) -> int:
        answer = self.store.transact_now(lambda unit: unit.restore([gone]), caller=self.caller)
        (self.present[gone.id],) = answer.value  # type: ignore[assignment]
        return self._remember(answer.position)

    def _remember(self, position: Position) -> int:
        self.past[position.revision] = dict(self.present)
        return position.revision

    def live_through(self, *, seed: int, steps: int) -> None:
        chance = random.Random(seed)
        for step in range(steps):
            id = chance.choice(IDS)
            if id in self.present and chance.random() < 0.3:
                self.delete(id)
            else:
                self.save(id, str(step))

    def at(self, revision: int) -> list[Variable]:
        selection = Selection(kind=Kind.VARIABLE, as_of=str(revision))
        page = self.store.read_now(
            lambda unit: resource_page(unit, Variable, selection, self.shelf)
        )
        return list(page.value.items)

    def trim(self, kind: Kind, revision: int) -> bool:
        """Trims up to the time of a revision; whether there is more."""

        def work(unit: UnitOfWork) -> bool:
            return trim_kind(unit, kind, time_of(unit, revision))

        return self.store.transact_now(work).value

    def count(self, table: Any) -> int:
        query = select(func.count()).select_from(table)
        return int(self.store.read_now(lambda u: u.connection.execute(query).scalar_one()).value)


def time_of(unit: UnitOfWork, revision: int) -> int:
    query = select(schema.change_set.c.time_us).where(schema.change_set.c.revision == revision)
    return int(unit.connection.execute(query).scalar_one())


@pytest.fixture
def facility(store: Store, caller: Caller) -> Facility:
    return Facility(store, caller)


@pytest.mark.parametrize("seed", [1, 2])
def test_from_the_horizon_on_everything_is_read_as_it_was(facility: Facility, seed: int) -> None:
    facility.live_through(seed=seed, steps=60)
    revisions = sorted(facility.past)
    for horizon in (revisions[20], revisions[40]):
        assert not facility.trim(Kind.VARIABLE, horizon)
        for revision in (each for each in revisions if each >= horizon):
            then = facility.past[revision]
            assert facility.at(revision) == [then[id] for id in sorted(then)]
        with pytest.raises(Refused, match="HISTORY_TRIMMED") as refused:
            facility.at(horizon - 1)
        assert refused.value.metadata["kept_from"] == str(horizon)


def test_only_the_newest_image_before_the_horizon_is_kept(facility: Facility) -> None:
    for step in range(10):
        last = facility.save("a", str(step))
    facility.save("b", "once")
    facility.trim(Kind.VARIABLE, last)
    assert facility.count(schema.history) == 2


def test_what_was_deleted_before_the_horizon_is_forgotten_with_its_name(
    facility: Facility,
) -> None:
    facility.save("a", "1")
    facility.save("b", "1")
    gone = facility.delete("a")
    assert facility.count(schema.name) == 2
    facility.trim(Kind.VARIABLE, gone)
    assert facility.count(schema.history) == facility.count(schema.name) == 1


def test_what_was_brought_back_after_the_horizon_keeps_its_name(facility: Facility) -> None:
    """It was deleted before, and is there again under its key."""
    facility.save("a", "1")
    was = facility.present["a"]
    gone = facility.delete("a")
    facility.bring_back(was)
    back = facility.save("a", "2")
    facility.trim(Kind.VARIABLE, gone)
    assert [each.value for each in facility.at(back - 1)] == ["1"]
    assert [each.value for each in facility.at(back)] == ["2"]
    assert facility.at(gone) == []
    assert facility.count(schema.name) == 1


def test_the_name_of_what_others_name_is_kept(facility: Facility) -> None:
    agent = facility.store.transact_now(
        lambda unit: unit.save(Agent(id="x")), caller=facility.caller
    ).value
    facility.store.transact_now(lambda unit: unit.delete(agent), caller=facility.caller)
    last = facility.save("a", "1")
    facility.trim(Kind.AGENT, last)
    assert facility.count(schema.history) == 1
    assert facility.count(schema.name) == 2


def test_one_kind_is_trimmed_and_the_others_are_not(facility: Facility) -> None:
    facility.save("a", "1")
    last = facility.save("a", "2")
    facility.trim(Kind.SNAPSHOT, last)
    assert facility.count(schema.history) == 2
    assert facility.at(last - 1)[0].value == "1"


def test_change_sets_go_when_nothing_of_theirs_is_kept_and_all_kinds_are_trimmed(
    facility: Facility,
) -> None:
    facility.save("a", "1")
    facility.save("a", "2")
    last = facility.save("b", "1")
    for kind in DECLARED:
        assert facility.count(schema.change_set) == 3
        facility.trim(kind, last)
    assert facility.count(schema.change_set) == 2
    facility.save("b", "2")
    last = facility.save("b", "3")
    for kind in reversed(DECLARED):
        facility.trim(kind, last)
    assert facility.count(schema.change_set) == facility.count(schema.history) == 2


def test_a_long_past_is_trimmed_in_small_steps(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", 3)
    for step in range(10):
        last = facility.save("a", str(step))
    kept = []
    while facility.trim(Kind.VARIABLE, last):
        kept.append(facility.count(schema.history))
    assert kept == [8, 5, 2]
    assert facility.count(schema.history) == 1


def test_a_step_that_is_cut_off_leaves_nothing_behind(facility: Facility) -> None:
    facility.save("a", "1")
    last = facility.save("a", "2")

    def cut_off(unit: UnitOfWork) -> None:
        trim_kind(unit, Kind.VARIABLE, time_of(unit, last))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        facility.store.transact_now(cut_off)
    assert facility.count(schema.history) == 2
    assert facility.at(last - 1)[0].value == "1"
    horizon = facility.store.read_now(lambda unit: horizon_of(unit, [Kind.VARIABLE]))
    assert horizon.value == 0


def test_a_page_token_from_before_the_horizon_is_refused(facility: Facility) -> None:
    for id in IDS:
        facility.save(id, "1")
    selection = Selection(kind=Kind.VARIABLE)

    def page(token: str) -> str:
        answer = facility.store.read_now(
            lambda unit: resource_page(
                unit, Variable, selection, facility.shelf, size=1, token=token
            )
        )
        return answer.value.next_page_token

    token = page("")
    assert page(token)
    facility.trim(Kind.VARIABLE, facility.save("a", "2"))
    with pytest.raises(Refused, match="HISTORY_TRIMMED"):
        page(token)


def test_a_list_by_what_is_trimmed_is_refused(facility: Facility) -> None:
    last = facility.save("a", "1")
    facility.trim(Kind.TEMPLATE, last)
    selection = Selection(kind=Kind.CONTROL_UNIT, template="T", as_of=str(last - 1))
    with pytest.raises(Refused, match="HISTORY_TRIMMED"):
        facility.store.read_now(
            lambda unit: resource_page(unit, ControlUnit, selection, shelf_of(ControlUnit))
        )
