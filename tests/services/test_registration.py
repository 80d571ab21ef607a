"""Unit servers come: who is let in, what they are told, what is written."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import event, func, select

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.filter.vocabulary import SIGHTING
from metadata_server.domain.intent.attribute import AttributeOverride, Direction
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import ITSELF
from metadata_server.services.life.sightings import Sightings
from metadata_server.store import schema
from metadata_server.store.life.datasets import store_datasets
from metadata_server.store.store import Store
from metadata_server.store.turns import Turns
from tests.services.lively import (
    CALLER,
    COMING,
    CURRENT,
    DATASET,
    DATASET_HASH,
    TIMING,
    Facility,
    facility,
)


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1", "A/PS2")
        yield found


async def publish(lab: Facility) -> None:
    await lab.store.transact(lambda unit: store_datasets(unit, {DATASET_HASH: DATASET}))


async def count(lab: Facility, table: str) -> int:
    query = select(func.count()).select_from(schema.metadata.tables[table])
    answer = await lab.store.read(lambda unit: unit.connection.execute(query).scalar_one())
    return int(answer.value)


async def test_a_registration_is_answered_with_every_unit_in_one_revision(lab: Facility) -> None:
    before = (await lab.position()).revision
    registered = await lab.register()
    assert [each.unit.id for each in registered.assignments] == ["A/PS1", "A/PS2"]
    assert all(each.configuration for each in registered.assignments)
    assert registered.assignments[0].unit.desired_state is State.RUNNING
    assert (await lab.position()).revision == before + 1
    statuses = await lab.statuses()
    assert {status.session for status in statuses.values()} == {registered.session.id}
    assert {status.state for status in statuses.values()} == {State.UNLOADED}
    assert (await lab.held())[0].contact is Contact.ALIVE


async def test_the_same_incarnation_has_its_session_again_and_writes_nothing(
    lab: Facility,
) -> None:
    first = await lab.register()
    before = await lab.position()
    again = await lab.register()
    assert again.session.id == first.session.id
    assert again.assignments == first.assignments
    assert await lab.position() == before


async def test_a_rival_is_told_who_holds_the_unit_server(lab: Facility) -> None:
    held = await lab.register()
    with pytest.raises(Refused, match="ALREADY_RUNNING") as refused:
        await lab.register(incarnation="second", host="rack2")
    metadata = refused.value.metadata
    assert (metadata["host"], metadata["address"], metadata["pid"]) == ("rack1", "10.0.0.1", "42")
    assert metadata["since"] < metadata["lease_end"]
    assert refused.value.retry_after_ms is not None
    assert 0 < refused.value.retry_after_ms <= TIMING.lease_us // 1000 + 1
    assert (await lab.held())[0].id == held.session.id


async def test_a_rival_is_refused_while_nobody_could_see_who_lives(lab: Facility) -> None:
    """The lease ran out, but while nobody looked: the holder may well be alive."""
    await lab.register()
    await lab.not_look(60)
    with pytest.raises(Refused, match="ALREADY_RUNNING"):
        await lab.register(incarnation="second")


async def test_a_new_run_is_let_in_as_soon_as_the_lease_has_run_out(lab: Facility) -> None:
    first = await lab.register()
    await lab.pass_time(21)
    second = await lab.register(incarnation="second")
    assert second.session.id != first.session.id
    assert await ended(lab, first.session.id) is EndReason.SUPERSEDED


async def test_a_take_over_ends_the_holder_and_is_recorded_with_its_reason(lab: Facility) -> None:
    first = await lab.register()
    operator = Caller(
        principal=Principal("operator"), method="Registration.Register", reason="it hangs"
    )
    said = replace(COMING, incarnation="second", take_over=True)
    second = (await lab.liveness.registration.register(said, operator)).value
    assert await ended(lab, first.session.id) is EndReason.TAKEN_OVER
    statuses = await lab.statuses()
    assert {status.session for status in statuses.values()} == {second.session.id}
    query = select(schema.change_set).order_by(schema.change_set.c.revision.desc()).limit(1)
    answer = await lab.store.read(lambda unit: unit.connection.execute(query).one())
    row = answer.value
    assert (row.revision, row.method) == (answer.position.revision, "Registration.Register")
    assert (row.author, row.reason) == ("operator", "it hangs")


async def ended(lab: Facility, session: str) -> EndReason | None:
    query = select(schema.session.c.end_reason).where(schema.session.c.id == session)
    answer = await lab.store.read(lambda unit: unit.connection.execute(query).scalar_one())
    return None if answer.value is None else EndReason(answer.value)


async def test_an_undeclared_unit_server_is_refused_and_seen(lab: Facility) -> None:
    for _ in range(2):
        with pytest.raises(Refused, match="UNDECLARED"):
            await lab.register(unit_server="STRAY")
    (seen,) = (await Sightings(lab.store).list(AskedList(word=SIGHTING))).value
    assert (seen.unit_server, seen.host, seen.pid, seen.count) == ("STRAY", "rack1", 42, 2)
    assert seen.classes == ("lab::Supply",)


async def test_a_sighting_is_not_shown_once_its_unit_server_is_declared(lab: Facility) -> None:
    with pytest.raises(Refused, match="UNDECLARED"):
        await lab.register(unit_server="STRAY")
    await lab.resources.create(CALLER, UnitServer(id="STRAY"), validate_only=False)
    assert (await Sightings(lab.store).list(AskedList(word=SIGHTING))).value == []


async def test_where_it_is_wished_an_undeclared_unit_server_is_adopted(store: Store) -> None:
    async with facility(store, adopt=True) as lab:
        registered = await lab.register(unit_server="STRAY")
        assert registered.assignments == ()
        assert (await lab.resources.get(UnitServer, "STRAY")).value.id == "STRAY"


async def test_a_unit_whose_class_is_not_built_here_does_not_hold_up_its_neighbours(
    lab: Facility,
) -> None:
    camera = Template(id="Camera", implementation="lab::Camera")
    await lab.resources.create(CALLER, camera, validate_only=False)
    await lab.declare("A/CAM", template="Camera")
    told = {each.unit.id: each for each in (await lab.register()).assignments}
    problem = told["A/CAM"].problem
    assert problem is not None
    assert problem.reason == "CLASS_NOT_HOSTED"
    assert "lab::Camera" in problem.message
    assert "lab::Supply" in problem.message
    assert told["A/CAM"].configuration is None
    assert told["A/PS1"].problem is None
    assert "lab::Camera" in (await lab.statuses())["A/CAM"].message


async def test_a_leading_pair_of_colons_makes_no_class_another(lab: Facility) -> None:
    registered = await lab.register()
    assert registered.session.classes == ("lab::Supply",)
    assert registered.assignments[0].problem is None


async def test_a_dataset_that_the_store_lacks_is_asked_for(lab: Facility) -> None:
    assert (await lab.register()).missing_datasets == (DATASET_HASH,)


async def test_a_dataset_that_the_store_has_is_used_at_once(lab: Facility) -> None:
    await publish(lab)
    registered = await lab.register()
    assert registered.missing_datasets == ()
    configuration = registered.assignments[0].configuration
    assert configuration is not None
    assert [each.name for each in configuration.attributes] == ["current", "readback"]
    assert (await lab.statuses())["A/PS1"].dataset == DATASET_HASH


async def test_a_dataset_that_contradicts_the_template_names_the_attribute(lab: Facility) -> None:
    turned = Template(
        id="Turned",
        implementation="lab::Supply",
        attributes=(replace(CURRENT, direction=Direction.OUTPUT, facets={}),),
    )
    await lab.resources.create(CALLER, turned, validate_only=False)
    await lab.declare("A/TURNED", template="Turned")
    await publish(lab)
    told = {each.unit.id: each for each in (await lab.register()).assignments}
    problem = told["A/TURNED"].problem
    assert problem is not None
    assert problem.reason == "DATASET_CONTRADICTS_TEMPLATE"
    assert problem.metadata["attribute"] == "current"
    assert problem.metadata["value"] == "INPUT"
    assert "OUTPUT" in problem.metadata["expected"]
    assert (await lab.statuses())["A/TURNED"].dataset == ""
    assert told["A/PS1"].problem is None


async def test_configurations_that_the_process_holds_are_not_sent_again(lab: Facility) -> None:
    first = await lab.register()
    held = {each.unit.id: each.fingerprint for each in first.assignments}
    await lab.resources.update(
        CALLER,
        ControlUnit,
        "A/PS2",
        etag="*",
        change=lambda unit: replace(
            unit, overrides=(AttributeOverride("current", {"maximum": "5"}),)
        ),
        validate_only=False,
    )
    again = await lab.register(held_fingerprints=held)
    told = {each.unit.id: each for each in again.assignments}
    assert told["A/PS1"].configuration is None
    assert told["A/PS1"].fingerprint == held["A/PS1"]
    assert told["A/PS1"].implementation == first.assignments[0].implementation != ""
    assert told["A/PS2"].configuration is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"incarnation": ""}, "incarnation"),
        ({"incarnation": "x" * 65}, "incarnation"),
        ({"host": "x" * 256}, "host"),
        ({"pid": -1}, "pid"),
        ({"classes": {"lab::Supply": "not a hash"}}, "classes[0].dataset_hash"),
        ({"classes": {"": ""}}, "classes[0].implementation"),
    ],
)
async def test_what_cannot_be_kept_is_named(
    lab: Facility, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        await lab.register(**changes)
    assert [each.field for each in refused.value.fields] == [field]
    assert await count(lab, "session") == 0


async def test_a_replica_under_pressure_says_when_to_come_again(
    lab: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(1, longest_wait_s=0.01)
    monkeypatch.setattr(lab.store, "turns", turns)
    held = await turns.begin(ITSELF)
    with pytest.raises(Refused, match="TOO_BUSY") as refused:
        await lab.register()
    assert refused.value.retry_after_ms
    turns.end(held)
    monkeypatch.undo()
    assert (await lab.register()).session.id


async def test_a_larger_unit_server_costs_no_more_statements(lab: Facility) -> None:
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(lab.store.database.writing, "before_cursor_execute", note)
    await lab.register()
    few = len(statements)
    await lab.declare(*(f"A/PS{number}" for number in range(3, 60)))
    statements.clear()
    await lab.register(incarnation="second", take_over=True)
    assert len(statements) <= few + 6, "the six that end the session before"
