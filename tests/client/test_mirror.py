"""A mirror, whatever happens to the resources and to the servers."""

import asyncio
import random
from functools import partial

import pytest
from mds.v1.control_unit_pb2 import ControlUnit, RenameControlUnitRequest
from mds.v1.error_reason_pb2 import ErrorReason
from mds.v1.template_pb2 import Template
from mds.v1.variable_pb2 import Variable
from sqlalchemy import update

from control_units.client import (
    AlreadyExists,
    Change,
    Client,
    Invalid,
    Mirror,
    NotFound,
    Unreachable,
)
from metadata_server.domain.names import Kind
from metadata_server.services.past.trimming import DAY_US, Trimming
from metadata_server.store import schema
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.conftest import StartReplica
from tests.stages.opened_store import opened_store
from tests.stages.ports import free_port
from tests.stages.replica import Replica
from tests.stages.waiting import until

DEADLINE_S = 30
ODD = "description=odd"


async def write(client: Client, id: str, value: int) -> None:
    """Creates a variable, or changes it."""
    try:
        await client.variables.change(id, lambda found: setattr(found, "value", str(value)))
    except NotFound:
        await client.variables.create(Variable(name=f"variables/{id}", value=str(value)))


async def caught_up(client: Client, mirror: Mirror[Variable]) -> None:
    await mirror.reached(client.position, timeout=DEADLINE_S)


async def test_it_holds_what_is_there_and_what_comes(client: Client) -> None:
    await write(client, "A", 1)
    async with client.variables.mirror() as mirror:
        assert mirror.is_current
        assert mirror["A"].value == "1"
        await write(client, "B", 2)
        await client.variables.delete("A", etag="*")
        await caught_up(client, mirror)
        assert list(mirror) == ["B"]
        assert "A" not in mirror
        assert mirror.get("A") is None
        assert ("variables/B" in mirror, len(mirror)) == (True, 1)
        assert [each.value for each in mirror.values()] == ["2"]
        assert dict(mirror.items()) == {"B": await client.variables.get("B")}


async def test_it_says_what_has_changed(client: Client) -> None:
    told: list[Change[Variable]] = []
    async with client.variables.mirror(id_prefix="A") as mirror:
        stop = mirror.on_change(told.extend)
        for id, value in (("A", 1), ("A", 2), ("B", 3)):
            await write(client, id, value)
            await caught_up(client, mirror)
        stop()
        await write(client, "A", 4)
        await caught_up(client, mirror)
    assert [(each.id, text(each.before), text(each.after)) for each in told] == [
        ("A", None, "1"),
        ("A", "1", "2"),
    ]


def text(variable: Variable | None) -> str | None:
    return None if variable is None else variable.value


async def test_a_callback_that_fails_does_not_end_it(client: Client) -> None:
    def fail(_: list[Change[Variable]]) -> None:
        raise ValueError

    async with client.variables.mirror() as mirror:
        mirror.on_change(fail)
        await write(client, "A", 1)
        await caught_up(client, mirror)
        assert mirror.is_current


async def test_a_slow_reader_is_told_each_resource_once(client: Client) -> None:
    async with client.variables.mirror() as mirror:
        changes = mirror.changes()
        first = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)  # it has begun to listen
        await write(client, "A", 1)
        await first
        for value in (2, 3):
            await write(client, "A", value)
        await write(client, "B", 1)
        await client.variables.delete("B", etag="*")
        await caught_up(client, mirror)
        change = await anext(changes)
        assert (change.id, text(change.before), text(change.after)) == ("A", "1", "3")
        await changes.aclose()


async def test_a_renamed_unit_is_told_with_its_former_id(client: Client) -> None:
    await client.templates.create(Template(name="templates/T", implementation="T"))
    for id in ("A/1", "B/1"):
        unit = ControlUnit(name=f"control_units/{id}", template="templates/T")
        await client.control_units.create(unit)
    told: list[Change[ControlUnit]] = []
    async with client.control_units.mirror(id_prefix="A/") as mirror:
        mirror.on_change(told.extend)
        for old, new in (("A/1", "A/2"), ("A/2", "C/2"), ("B/1", "A/3")):
            request = RenameControlUnitRequest(
                name=f"control_units/{old}", new_name=f"control_units/{new}", etag="*"
            )
            await client.control_units.RenameControlUnit(request)
            await mirror.reached(client.position, timeout=DEADLINE_S)
        assert list(mirror) == ["A/3"]
    assert [(each.former_id, each.id, each.after is None) for each in told] == [
        ("A/1", "A/2", False),
        ("", "A/2", True),
        ("", "A/3", False),
    ]


async def test_what_comes_to_pass_a_filter_comes_and_what_no_longer_does_leaves(
    client: Client,
) -> None:
    await write(client, "A", 1)
    told: list[Change[Variable]] = []
    async with client.variables.mirror(filter="description:spare*") as mirror:
        mirror.on_change(told.extend)
        for description in ("in use", "spare", "spare, again", ""):
            await client.variables.change("A", partial(describe, description))
            await caught_up(client, mirror)
        assert len(mirror) == 0
    images = [(each.before, each.after) for each in told]
    assert [[one and one.description for one in pair] for pair in images] == [
        [None, "spare"],
        ["spare", "spare, again"],
        ["spare, again", None],
    ]


def describe(description: str, variable: Variable) -> None:
    variable.description = description


async def test_a_filter_that_cannot_be_read_is_refused_at_once(client: Client) -> None:
    with pytest.raises(Invalid) as refused:
        await client.variables.mirror(filter="colour=red").__aenter__()
    assert refused.value.error_reason == ErrorReason.INVALID_FILTER


async def test_without_a_server_it_does_not_begin() -> None:
    async with Client(f"127.0.0.1:{free_port()}", timeout=0.3) as client:
        with pytest.raises(Unreachable):
            await client.variables.mirror().__aenter__()


async def test_it_keeps_what_it_knew_while_no_server_answers(
    client: Client, server: Replica
) -> None:
    await write(client, "A", 1)
    async with client.variables.mirror() as mirror:
        server.kill()
        await until(lambda: not mirror.is_current, within=DEADLINE_S)
        assert mirror.stale_since is not None
        assert mirror["A"].value == "1"
        await server.start()
        await until(lambda: mirror.is_current, within=DEADLINE_S)
        await write(client, "A", 2)
        await caught_up(client, mirror)
        assert mirror["A"].value == "2"


async def test_its_end_wakes_who_waits(client: Client) -> None:
    async with client.variables.mirror() as mirror:
        waiting = asyncio.ensure_future(mirror.changed())
        with pytest.raises(TimeoutError):
            await mirror.changed(timeout=0.01)
    async with asyncio.timeout(DEADLINE_S):
        await waiting
    assert not mirror.is_current


async def trim(store: Store) -> None:
    """Lets all history of variables be forgotten but what is there now."""

    def age(unit: UnitOfWork) -> None:
        times = schema.change_set.c.time_us
        unit.connection.execute(update(times.table).values(time_us=times - 31 * DAY_US))
        unit.connection.execute(update(schema.chore).values(due_us=0))

    await store.transact(age)
    while await Trimming(store, kept_days={Kind.VARIABLE: 30}, request_days=365).trim():
        pass


async def test_it_lists_again_when_its_history_is_gone(
    client: Client, server: Replica, start_replica: StartReplica, sqlite_database: str
) -> None:
    for id in ("kept", "changed", "deleted"):
        await write(client, id, 1)
    told: dict[str, str | None] = {}
    async with client.variables.mirror() as mirror:
        mirror.on_change(
            lambda changes: told.update((each.id, text(each.after)) for each in changes)
        )
        server.kill()
        other = await start_replica(sqlite_database)
        async with Client(other.address) as aside:
            await write(aside, "changed", 2)
            await write(aside, "new", 3)
            await aside.variables.delete("deleted", etag="*")
        await other.terminate()
        with opened_store(sqlite_database) as store:
            await trim(store)
        await server.start()
        await until(lambda: told, within=DEADLINE_S)
        assert told == {"changed": "2", "new": "3", "deleted": None}
        assert mirror["kept"].value == "1"


async def test_after_any_history_it_is_what_a_fresh_list_is(
    start_replica: StartReplica, database: str
) -> None:
    chance = random.Random(20261121)
    replicas = [await start_replica(database) for _ in range(2)]
    addresses = [replica.address for replica in replicas]
    async with Client(addresses) as watcher, Client(addresses) as writer:
        await writer.templates.create(Template(name="templates/T", implementation="T"))
        async with (
            watcher.control_units.mirror(id_prefix="A/") as some,
            watcher.control_units.mirror() as all_,
            watcher.control_units.mirror(id_prefix="B/", filter=ODD) as odd,
        ):
            copy: dict[str, ControlUnit] = {}
            all_.on_change(lambda changes: follow(copy, changes))
            for round_ in range(3):
                for _ in range(25):
                    await any_change(writer, chance)
                victim = replicas[round_ % 2]
                victim.kill()
                for _ in range(10):
                    await any_change(writer, chance)
                await victim.start()
            for mirror, prefix, passes in ((some, "A/", ""), (all_, "", ""), (odd, "B/", ODD)):
                await mirror.reached(writer.position, timeout=DEADLINE_S)
                units = writer.control_units.list(id_prefix=prefix, filter=passes)
                fresh = {writer.control_units.id(unit): unit async for unit in units}
                assert dict(mirror.items()) == fresh
            assert copy == dict(all_.items())


def follow(copy: dict[str, ControlUnit], changes: list[Change[ControlUnit]]) -> None:
    """Does to a copy what is told, and holds it against what it should have been."""
    for change in changes:
        assert copy.pop(change.former_id or change.id, None) == change.before
        if change.after is not None:
            copy[change.id] = change.after


async def any_change(client: Client, chance: random.Random) -> None:
    """One change of one of a few units, if it can be made."""
    units = client.control_units
    id, other = (f"{chance.choice('AB')}/{chance.randrange(4)}" for _ in range(2))
    way = chance.choice(("create", "create", "describe", "describe", "delete", "rename"))
    try:
        if way == "create":
            await units.create(ControlUnit(name=units.name(id), template="templates/T"))
        elif way == "describe":
            text = chance.choice(("odd", "even"))
            await units.change(id, lambda unit: setattr(unit, "description", text))
        elif way == "delete":
            await units.delete(id, etag="*")
        else:
            request = RenameControlUnitRequest(
                name=units.name(id), new_name=units.name(other), etag="*"
            )
            await units.RenameControlUnit(request)
    except (NotFound, AlreadyExists):
        pass  # as it may be
