"""What concerns an attached unit server is told it: changes, comings and goings, once."""

import asyncio
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from dataclasses import replace

import pytest

from metadata_server.domain.intent.attribute import Attribute, AttributeOverride, Direction
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.fingerprint import digest
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.registration import Assignment
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.services.intent.renaming import Renaming
from metadata_server.services.life.hosting import Told
from metadata_server.services.life.publication import Published
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.lively import (
    CALLER,
    CURRENT,
    DATASET,
    DATASET_HASH,
    Facility,
    attached,
    facility,
    report,
)
from tests.stages.waiting import until

PUBLISHED = Published(DATASET_HASH, DATASET, "lab::Supply")


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1", "A/PS2")
        yield found


async def test_a_changed_unit_is_told_with_its_new_configuration(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
        override = AttributeOverride("current", {"maximum": "5"})
        await lab.change("A/PS1", overrides=(override,), desired_state=State.STOPPED)
        await until(lambda: ear.assigned, what="the assignment")
    told = ear.assigned["A/PS1"]
    assert isinstance(told, Assignment)
    assert told.unit.desired_state is State.STOPPED
    assert told.configuration is not None
    assert told.configuration.attributes[0].facets["maximum"] == "5"
    assert set(ear.assigned) == {"A/PS1"}


async def test_what_changes_while_another_unit_is_looked_at_is_told_at_once(
    lab: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody beats after the first time: nothing else would wake the stream."""
    registered = await lab.register()
    key = (await lab.resources.get(ControlUnit, "A/PS2")).value.meta.key
    look = lab.liveness.looks.look
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: any(word.lease_us for word in ear.words), what="the renewal")

        async def look_while_it_changes(
            session: Session, keys: AbstractSet[int]
        ) -> Answer[list[Told]] | None:
            found = await look(session, keys)
            if key not in keys:
                await lab.change("A/PS2", desired_state=State.STOPPED)
                unit_server.mark([key], await lab.position())
            return found

        monkeypatch.setattr(lab.liveness.looks, "look", look_while_it_changes)
        await lab.change("A/PS1", desired_state=State.STOPPED)
        await until(lambda: set(ear.assigned) == {"A/PS1", "A/PS2"}, what="both assignments")


async def test_what_the_database_has_not_applied_yet_is_not_taken_for_told(lab: Facility) -> None:
    """As after a fail-over, to a node that still applies what the one before it told of."""
    registered = await lab.register()
    key = (await lab.resources.get(ControlUnit, "A/PS1")).value.meta.key
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: any(word.lease_us for word in ear.words), what="the renewal")
        told = len(ear.words)
        present = await lab.position()
        unit_server.mark([key], replace(present, revision=present.revision + 1))
        await until(lambda: len(ear.words) > told, what="a word that tells nothing")
        assert max(word.position for word in ear.words) == present
        await lab.change("A/PS1", desired_state=State.STOPPED)
        await until(lambda: ear.assigned, what="the assignment")
    (word,) = [word for word in ear.words if word.assignments]
    assert word.position.revision == present.revision + 1


async def test_what_changed_before_the_stream_came_is_told_on_it(lab: Facility) -> None:
    registered = await lab.register()
    async with asyncio.timeout(20), lab.tailer.subscribe(kinds={Kind.CONTROL_UNIT}) as changes:
        await lab.change("A/PS1", desired_state=State.STOPPED)
        await changes.next()
        await asyncio.sleep(0)  # others who follow the changes have been handed it, too
    async with attached(lab, registered) as (_, ear):
        await until(lambda: "A/PS1" in ear.assigned, what="the assignment")


async def test_after_a_break_what_changed_since_is_told(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
    seen = ear.words[-1].position
    await lab.change("A/PS1", desired_state=State.STOPPED)
    async with attached(lab, registered, seen) as (_, later):
        await until(lambda: later.assigned, what="the assignment")
    assert set(later.assigned) == {"A/PS1"}


async def test_a_unit_that_comes_is_taken_in_and_told(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.declare("A/NEW")
        await until(lambda: "A/NEW" in ear.assigned, what="the assignment")
        await unit_server.report([report("A/NEW", 1, State.RUNNING)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
    status = (await lab.statuses())["A/NEW"]
    assert (status.state, status.session) == (State.RUNNING, registered.session.id)


async def test_a_unit_that_moves_away_is_removed_here_and_its_reports_are_refused(
    lab: Facility,
) -> None:
    await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.change("A/PS2", unit_server="OTHER")
        await until(lambda: "A/PS2" in ear.removed, what="the word that it left")
        await unit_server.report([report("A/PS2", 7, State.RUNNING)])
        await until(lambda: ear.refused, what="the refusal")
    assert ear.refused == {"A/PS2": "NOT_HOSTED_HERE"}
    assert (await lab.statuses())["A/PS2"].session == ""


async def test_a_unit_that_moves_away_and_back_lives_on_in_the_same_session(
    lab: Facility,
) -> None:
    await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.change("A/PS2", unit_server="OTHER")
        await until(lambda: "A/PS2" in ear.removed, what="the word that it left")
        await lab.change("A/PS2", unit_server="US")
        await until(lambda: "A/PS2" in ear.assigned, what="the assignment")
        await unit_server.report([report("A/PS2", 8, State.RUNNING)])
        await until(lambda: ear.acknowledged == 8, what="the acknowledgement")
    assert (await lab.statuses())["A/PS2"].state is State.RUNNING


async def test_a_unit_that_settled_on_another_configuration_is_told_the_right_one(
    lab: Facility,
) -> None:
    registered = await lab.register()
    wrong = f"v1:{'0' * 64}"
    async with attached(lab, registered) as (unit_server, ear):
        settled = report("A/PS1", 1, State.RUNNING, fingerprint=wrong, reached_generation=1)
        await unit_server.report([settled])
        await until(lambda: "A/PS1" in ear.assigned, what="the assignment")


async def test_a_digest_that_differs_for_long_has_everything_told_again(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        unit_server.heartbeat(0.0, digest({}))
        unit_server.heartbeat(0.0, digest({"A/PS1": "v1:x"}))
        assert not ear.assigned
        assert not any(word.report_all for word in ear.words)
        unit_server.heartbeat(0.0, digest({"A/PS1": "v1:x"}))
        await until(lambda: len(ear.assigned) == 2, what="all assignments")
        assert sum(word.report_all for word in ear.words) == 1, "it shall tell all again, too"


async def test_a_changed_template_version_reaches_a_unit_that_is_moved_to_it(
    lab: Facility,
) -> None:
    registered = await lab.register()
    more = (CURRENT, Attribute("ramp", Direction.INPUT))
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.resources.update(
            CALLER,
            Template,
            "Supply",
            etag="*",
            change=lambda template: replace(template, attributes=more),
            validate_only=False,
        )
        await lab.change("A/PS1", template_version=2)
        await until(lambda: "A/PS1" in ear.assigned, what="the assignment")
    told = ear.assigned["A/PS1"]
    assert isinstance(told, Assignment)
    assert told.configuration is not None
    assert [each.name for each in told.configuration.attributes] == ["current", "ramp"]


async def rename(lab: Facility, old: str, new: str) -> None:
    await Renaming(lab.store).rename(CALLER, old, new, etag="*", validate_only=False)


async def test_a_renamed_unit_is_told_with_the_name_that_it_had(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await unit_server.report([report("A/PS1", 1, State.LOADED)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
        await rename(lab, "A/PS1", "B/PS1")
        await until(lambda: "B/PS1" in ear.assigned, what="the assignment")
        await unit_server.report([report("B/PS1", 2, State.RUNNING)])
        await until(lambda: ear.acknowledged == 2, what="the acknowledgement")
        assert unit_server.hosted == 2
    told = ear.assigned["B/PS1"]
    assert isinstance(told, Assignment)
    assert told.former_id == "A/PS1"
    assert ear.removed == {"A/PS1"}
    statuses = await lab.statuses()
    assert statuses.keys() == {"A/PS2", "B/PS1"}
    assert statuses["B/PS1"].state is State.RUNNING
    assert statuses["B/PS1"].session == registered.session.id


async def test_a_unit_that_was_renamed_during_a_break_is_told_so(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
    seen = ear.words[-1].position
    await rename(lab, "A/PS1", "B/PS1")
    await rename(lab, "B/PS1", "C/PS1")
    async with attached(lab, registered, seen) as (_, later):
        await until(lambda: later.assigned, what="the assignment")
    told = later.assigned["C/PS1"]
    assert isinstance(told, Assignment)
    assert told.former_id == "A/PS1"
    assert later.removed == {"A/PS1"}


async def test_a_unit_that_was_renamed_and_moved_during_a_break_is_removed_by_both_names(
    lab: Facility,
) -> None:
    await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
    seen = ear.words[-1].position
    await rename(lab, "A/PS1", "B/PS1")
    await lab.change("B/PS1", unit_server="OTHER")
    async with attached(lab, registered, seen) as (_, later):
        await until(lambda: later.removed, what="the word that it left")
    assert later.removed == {"A/PS1", "B/PS1"}


def swap(work: UnitOfWork) -> None:
    found = work.resources.find(ControlUnit, ["A/PS1", "A/PS2"], lock=True)
    work.save(replace(found["A/PS1"], id="A/PS2"))
    work.save(replace(found["A/PS2"], id="A/PS1"))


async def test_units_that_swapped_names_are_told_both(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.store.transact(swap, caller=CALLER)
        await until(lambda: len(ear.assigned) == 2, what="the assignments")
        assert unit_server.hosted == 2
    former = {id: getattr(told, "former_id", "") for id, told in ear.assigned.items()}
    assert former == {"A/PS1": "A/PS2", "A/PS2": "A/PS1"}
    assert ear.removed == set()


async def test_units_that_swapped_names_are_told_both_when_one_of_them_is_heard_of_first(
    lab: Facility,
) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        key = (await lab.resources.get(ControlUnit, "A/PS2")).value.meta.key
        unit_server.mark([key], ear.words[-1].position)
        lab.store.transact_now(swap, caller=CALLER)  # the loop stands still until it is written
        await until(lambda: len(ear.assigned) == 2, what="the assignments")
    assert {each.former_id for each in ear.assigned.values()} == {"A/PS1", "A/PS2"}
    assert ear.removed == set()
