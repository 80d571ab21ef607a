"""Making a resource what it was: content to the byte, names, etags, what is gone."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from metadata_server.domain.change import Caller
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
    Parameter,
    ValueType,
)
from metadata_server.domain.intent.bundle import Item, ItemAction, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import (
    Agent,
    ExecutionUnit,
    Policy,
    SavedUnit,
    SavedValue,
    Script,
    Snapshot,
    Variable,
)
from metadata_server.domain.intent.template import Command, Template, VersionState
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.orchestration.campaign import Campaign
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.domain.watch import View
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.past.going_back import WentBack
from metadata_server.services.past.revert import Revert
from metadata_server.store.codec import data_of, text_of
from metadata_server.store.images import META
from metadata_server.store.past.history import key_at
from metadata_server.store.schema import history
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

Call = Callable[..., Caller]
SHARED = {
    "description": "ü",
    "labels": {"z": "1", "a": "2"},
    "properties": {"z": '"0x5A"', "a": "[1.0, 1e3]"},
}
DRIVERS = (Driver("TCP", "2", '{"b": 1}', {"z": "1", "a": "[2]"}), Driver("LIN", "1"))
CURRENT = Attribute(
    "current", Direction.INPUT, ValueType.INT32, facets={"maximum": "0x5A", "default_value": "010"}
)
OVERRIDE = AttributeOverride("current", {"maximum": "0x3C", "unit": "A"})
RICH: dict[Kind, Resource] = {
    each.kind: each
    for each in (
        Template(
            id="Supply",
            implementation="::Supply",
            group="power",
            drivers=DRIVERS,
            parameters=(Parameter("slot", ValueType.INT8), Parameter("note")),
            attributes=(CURRENT,),
            commands=(Command("ramp", parameters=(Parameter("rate", ValueType.DOUBLE),)),),
            **SHARED,  # type: ignore[arg-type]
        ),
        Agent(id="agent", host="rack1", working_directory="/opt", **SHARED),  # type: ignore[arg-type]
        UnitServer(id="US", launch=Launch(agent="agent", command="run"), **SHARED),  # type: ignore[arg-type]
        Script(id="script", language="cling", content="1;\n", keep_alive=True, **SHARED),  # type: ignore[arg-type]
        ControlUnit(
            id="A/1",
            template="Supply",
            template_version=1,
            unit_server="US",
            desired_state=State.RUNNING,
            overrides=(OVERRIDE,),
            drivers=DRIVERS,
            parameters={"slot": "0x4", "note": ""},
            **SHARED,  # type: ignore[arg-type]
        ),
        ExecutionUnit(id="eu", host="unit_servers/US", parameters={"p": "1"}, **SHARED),  # type: ignore[arg-type]
        Variable(id="v", value='{"b": 1.0, "a": [1e3]}', **SHARED),  # type: ignore[arg-type]
        Snapshot(
            id="snap",
            taken_time_us=5,
            units=(SavedUnit("A/1", (SavedValue("current", ValueType.INT32, "0x10"),)),),
            **SHARED,  # type: ignore[arg-type]
        ),
        Policy(id="policy", kinds=(Kind.AGENT,), template="Supply", **SHARED),  # type: ignore[arg-type]
        Maintenance(
            id="cooling",
            control_units=("A/1",),  # it is long over
            id_prefixes=("RING/", "HALL"),
            begin_time_us=5,
            end_time_us=6,
            **SHARED,  # type: ignore[arg-type]
        ),
        MachineMode(id="DAFNE", mode="ACCESS", modes=("ACCESS", "BEAM"), **SHARED),  # type: ignore[arg-type]
        Guard(
            id="beam",
            machine_mode="DAFNE",
            modes=("BEAM",),
            forbids=(GuardedChange.EVERYTHING,),
            control_units=("A/1",),
            unit_servers=("US",),
            templates=("Supply",),
            unit_labels={"safety": "yes"},
            unit_filter="level<3 -label:spare",
            **SHARED,  # type: ignore[arg-type]
        ),
        UnitList(
            id="night",
            control_units=("A/1",),
            id_prefixes=("B/",),
            unit_labels={"shift": "night"},
            unit_filter="state=RUNNING",
            **SHARED,  # type: ignore[arg-type]
        ),
        Campaign(id="degauss", target_units=9, due_time_us=5, closed=True, **SHARED),  # type: ignore[arg-type]
        Webhook(
            id="logbook",
            url="https://logbook.example/in",
            kinds=(Kind.SCRIPT,),
            filter="label:shift",
            id_prefix="A/",
            view=View.BASIC,
            enabled=False,
            **SHARED,  # type: ignore[arg-type]
        ),
    )
}
SIMPLE: dict[Kind, Resource] = {
    Kind.TEMPLATE: Template(id="Supply", implementation="::Supply"),
    Kind.CONTROL_UNIT: ControlUnit(id="A/1", template="Supply", template_version=1),
    Kind.VARIABLE: Variable(id="v", value="1"),
    Kind.MAINTENANCE: Maintenance(id="cooling", description="a leak", id_prefixes=("B/",)),
    Kind.MACHINE_MODE: MachineMode(id="DAFNE", mode="BEAM", modes=("BEAM",)),
    Kind.GUARD: Guard(
        id="beam",
        description="stored beam",
        machine_mode="DAFNE",
        modes=("BEAM",),
        forbids=(GuardedChange.ORDERS,),
        id_prefixes=("B/",),
    ),
    Kind.UNIT_LIST: UnitList(id="night", id_prefixes=("B/", "C/")),
    Kind.WEBHOOK: Webhook(id="logbook", url="http://logbook.example"),
}


class Facility:
    """What people do to a store, and what it has written."""

    def __init__(self, store: Store, call: Call) -> None:
        self.store = store
        self._call = call

    async def apply(self, *items: Resource | Item) -> int:
        """Applies resources and removals; the revision."""
        wanted = [each if isinstance(each, Item) else Item("", each.name, each) for each in items]
        how = Applying(on_conflict=OnConflict.REPLACE)
        answer = await Bundles(self.store).apply(self._call(), wanted, how, ApplyProgress())
        assert answer.value.summary.applied, [d.problems for d in answer.value.decisions]
        return answer.position.revision

    async def revert(
        self, resource: Resource, revision: int, *, etag: str = "*", **more: object
    ) -> WentBack:
        trial = bool(more.pop("validate_only", False))
        answer = await Revert(self.store).revert(
            self._call(**more),
            resource.kind,
            resource.id,
            as_of=Moment(revision=revision),
            etag=etag,
            validate_only=trial,
        )
        return answer.value

    async def get(self, resource: Resource) -> Resource:
        answer = await self.store.read(lambda unit: unit.resources.get(type(resource), resource.id))
        return answer.value

    async def image(self, resource: Resource, revision: int) -> str:
        """The bytes of an image, without what counts changes and tells times."""

        def work(unit: UnitOfWork) -> str:
            key = key_at(unit.connection, resource.kind, resource.id, revision)
            query = (
                select(history.c.image)
                .where(history.c.key == key, history.c.revision <= revision)
                .order_by(history.c.revision.desc())
                .limit(1)
            )
            data = data_of(unit.connection.execute(query).scalar_one())
            for name in META:
                del data[name]
            return text_of(data)

        return (await self.store.read(work)).value


@pytest.fixture
def facility(store: Store, call: Call) -> Facility:
    return Facility(store, call)


def other(resource: Resource) -> Resource:
    """Something else under the same id, with nothing of what was there."""
    simple = SIMPLE.get(resource.kind)
    return simple or type(resource)(id=resource.id)


@pytest.mark.parametrize("kind", [kind for kind in DECLARED if kind is not Kind.TEMPLATE])
async def test_content_comes_back_to_the_byte(facility: Facility, kind: Kind) -> None:
    assert set(RICH) == set(DECLARED)
    rich = RICH[kind]
    first = await facility.apply(*RICH.values())
    changed = await facility.apply(other(rich))
    assert await facility.image(rich, changed) != await facility.image(rich, first)
    went = await facility.revert(rich, first)
    assert went.count == 1
    back = went.position.revision
    assert await facility.image(rich, back) == await facility.image(rich, first)
    again = await facility.revert(rich, changed)
    after = again.position.revision
    assert await facility.image(rich, after) == await facility.image(rich, changed)


@pytest.mark.parametrize("kind", DECLARED)
async def test_what_is_gone_comes_back_to_the_byte_under_its_key(
    facility: Facility, kind: Kind
) -> None:
    everything = list(RICH.values())
    first = await facility.apply(*everything)
    there = await facility.get(RICH[kind])
    await facility.apply(*(Item.removal(each.kind, each.id) for each in everything))
    needed = everything[: everything.index(RICH[kind])]
    for each in needed:
        await facility.revert(each, first)
    back = (await facility.revert(RICH[kind], first)).position.revision
    assert await facility.image(RICH[kind], back) == await facility.image(RICH[kind], first)
    now = await facility.get(RICH[kind])
    assert now.meta.key == there.meta.key
    assert now.meta.create_time_us == there.meta.create_time_us
    assert now.meta.generation > there.meta.generation


async def test_the_old_content_of_a_template_is_its_next_version(facility: Facility) -> None:
    rich = RICH[Kind.TEMPLATE]
    first = await facility.apply(rich, RICH[Kind.AGENT])
    await facility.apply(SIMPLE[Kind.TEMPLATE])
    await facility.revert(rich, first)
    now = await facility.get(rich)
    assert isinstance(now, Template)
    assert isinstance(rich, Template)
    assert (now.version, now.version_state) == (3, VersionState.PUBLISHED)
    assert now.has_content_of(rich)


async def test_a_draft_gets_the_old_content_and_stays_a_draft(facility: Facility) -> None:
    rich = RICH[Kind.TEMPLATE]
    assert isinstance(rich, Template)
    first = await facility.apply(rich)
    await facility.apply(replace(rich, description="draft", version_state=VersionState.DRAFT))
    await facility.revert(rich, first)
    now = await facility.get(rich)
    assert isinstance(now, Template)
    assert (now.version, now.version_state) == (2, VersionState.DRAFT)
    assert now.has_content_of(rich)


async def test_what_is_so_already_writes_nothing(facility: Facility) -> None:
    revision = await facility.apply(RICH[Kind.AGENT])
    went = await facility.revert(RICH[Kind.AGENT], revision)
    assert (went.count, went.position.revision) == (0, revision)
    assert [each.action for each in went.decisions] == [ItemAction.UNCHANGED]


async def test_a_renamed_resource_keeps_its_new_name(facility: Facility, call: Call) -> None:
    agent = RICH[Kind.AGENT]
    first = await facility.apply(agent)

    def rename(unit: UnitOfWork) -> None:
        there = unit.resources.get(Agent, agent.id, lock=True)
        unit.save(replace(there, id="new", host="other"))

    await facility.store.transact(rename, caller=call())
    await facility.revert(agent, first)
    now = await facility.get(replace(agent, id="new"))
    assert now == replace(agent, id="new")


async def test_a_new_resource_of_the_name_gets_the_content_of_its_namesake(
    facility: Facility,
) -> None:
    agent = RICH[Kind.AGENT]
    first = await facility.apply(agent)
    await facility.apply(Item.removal(agent.kind, agent.id))
    await facility.apply(Agent(id=agent.id))
    there = await facility.get(agent)
    await facility.revert(agent, first)
    now = await facility.get(agent)
    assert now == agent
    assert now.meta.key == there.meta.key


async def test_only_who_has_read_what_is_there_reverts_it(facility: Facility) -> None:
    agent = RICH[Kind.AGENT]
    first = await facility.apply(agent)
    second = await facility.apply(Agent(id=agent.id))
    with pytest.raises(Refused, match="ETAG_REQUIRED"):
        await facility.revert(agent, first, etag="")
    with pytest.raises(Refused, match="ETAG_MISMATCH") as stale:
        await facility.revert(agent, first, etag=str(first))
    assert stale.value.conflicts[0].etag == str(second)
    await facility.revert(agent, first, etag=str(second))
    await facility.apply(Item.removal(agent.kind, agent.id))
    with pytest.raises(Refused, match="ETAG_MISMATCH"):
        await facility.revert(agent, first, etag=str(second))


async def test_what_was_not_there_then_is_refused(facility: Facility) -> None:
    before = await facility.apply(RICH[Kind.VARIABLE])
    await facility.apply(RICH[Kind.AGENT])
    with pytest.raises(Refused, match=r"AGENT_NOT_FOUND.*at revision 1"):
        await facility.revert(RICH[Kind.AGENT], before)
    with pytest.raises(Refused, match="SCRIPT_NOT_FOUND"):
        await facility.revert(RICH[Kind.SCRIPT], before)


async def test_a_reference_to_what_is_gone_is_named(facility: Facility) -> None:
    unit = RICH[Kind.CONTROL_UNIT]
    first = await facility.apply(*RICH.values())
    await facility.apply(SIMPLE[Kind.CONTROL_UNIT], Item.removal(Kind.UNIT_SERVER, "US"))
    with pytest.raises(Refused, match="UNIT_SERVER_NOT_FOUND") as refused:
        await facility.revert(unit, first)
    assert [each.field for each in refused.value.fields] == ["unit_server"]


async def test_a_trial_writes_nothing_and_a_repetition_nothing_more(facility: Facility) -> None:
    agent = RICH[Kind.AGENT]
    first = await facility.apply(agent)
    changed = await facility.apply(Agent(id=agent.id))
    trial = await facility.revert(agent, first, validate_only=True)
    assert (trial.count, trial.position.revision) == (1, changed)
    assert await facility.get(agent) == Agent(id=agent.id)
    done = await facility.revert(agent, first, request_id="r", payload_hash="h")
    await facility.apply(Agent(id=agent.id))
    again = await facility.revert(agent, first, request_id="r", payload_hash="h")
    assert again.position == done.position
    assert [each.id for each in again.told] == [agent.id]
    assert await facility.get(agent) == Agent(id=agent.id)
