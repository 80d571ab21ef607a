"""A mirror of statuses, which knows contact and health, too."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import grpc
import pytest
from mds.v1.control_unit_pb2 import ControlUnit, ControlUnitStatus, RenameControlUnitRequest
from mds.v1.state_pb2 import Contact, Health, State
from mds.v1.template_pb2 import Template
from mds.v1.unit_server_pb2 import UnitServer
from mds.v1.watch_pb2 import Event, WatchResponse

from control_units.client import Client, Mirror
from tests.client.scripted_server import Answer, refuse
from tests.client.status_server import StatusServer, at
from tests.conftest import StartReplica
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

LEASE = {"MDS_LEASE_S": "2.5", "MDS_HEARTBEAT_S": "0.8"}
DEADLINE_S = 30


@pytest.fixture
async def server(start_replica: StartReplica, sqlite_database: str) -> Replica:
    return await start_replica(sqlite_database, environment=LEASE)


@pytest.fixture
def simulated(server: Replica, tmp_path: Path) -> Iterator[Program]:
    environment = {"MDS_ADDRESS": server.address, "MDS_STATE_FOLDER": str(tmp_path / "state")}
    program = Program.mds("simulate", "LAB", log=tmp_path / "lab.log", environment=environment)
    yield program
    program.clear()


@pytest.fixture
async def section(client: Client) -> None:
    units = [
        ControlUnit(
            name=f"control_units/{id}",
            template="templates/T",
            unit_server="unit_servers/LAB",
            desired_state=State.STATE_RUNNING,
        )
        for id in ("LAB/A", "LAB/B", "ELSEWHERE/C")
    ]
    template = Template(name="templates/T", implementation="T")
    await client.apply([template, UnitServer(name="unit_servers/LAB"), *units])


async def listed(client: Client, prefix: str) -> dict[str, ControlUnitStatus]:
    statuses = client.control_unit_statuses
    return {statuses.id(each): each async for each in statuses.list(id_prefix=prefix)}


async def equals_a_list(client: Client, mirror: Mirror[ControlUnitStatus], prefix: str) -> None:
    async def difference() -> dict[str, tuple[ControlUnitStatus | None, ControlUnitStatus | None]]:
        fresh, held = await listed(client, prefix), dict(mirror.items())
        ids = {id for id in fresh.keys() | held.keys() if fresh.get(id) != held.get(id)}
        return {id: (held.get(id), fresh.get(id)) for id in ids}

    async def is_equal() -> bool:
        return not await difference()

    try:
        await until(is_equal, within=DEADLINE_S)
    except (AssertionError, TimeoutError):
        raise AssertionError(f"held and fresh: {await difference()}") from None


async def test_it_follows_contact_and_health(
    section: None, simulated: Program, client: Client
) -> None:
    async with client.control_unit_statuses.mirror(id_prefix="LAB/") as mirror:
        simulated.start()
        await until(lambda: healths(mirror) == {Health.HEALTH_GOOD}, within=DEADLINE_S)
        assert set(mirror) == {"LAB/A", "LAB/B"}
        simulated.kill()
        await until(lambda: contacts(mirror) == {Contact.CONTACT_LOST}, within=DEADLINE_S)
        assert healths(mirror) == {Health.HEALTH_BAD}
        await equals_a_list(client, mirror, "LAB/")
        simulated.start()
        await until(lambda: healths(mirror) == {Health.HEALTH_GOOD}, within=DEADLINE_S)


GONE = refuse(grpc.StatusCode.OUT_OF_RANGE, "HISTORY_TRIMMED")
LOST = WatchResponse(events=[Event(name="unit_server_statuses/LAB", revision=6)], position=at(6))


@pytest.mark.parametrize("told", [GONE, LOST], ids=["history gone", "not read"])
async def test_contact_that_cannot_be_read_is_read_until_it_can(
    told: WatchResponse | Answer,
) -> None:
    async with (
        StatusServer() as server,
        Client(server.address) as client,
        client.control_unit_statuses.mirror() as mirror,
    ):
        assert contacts(mirror) == {Contact.CONTACT_ALIVE}
        assert mirror.is_current
        server.is_down = True
        server.verdicts.put_nowait(told)
        await until(lambda: server.refused > 2 and not mirror.is_current)
        server.contact, server.revision, server.is_down = Contact.CONTACT_LOST, 9, False
        await until(lambda: contacts(mirror) == {Contact.CONTACT_LOST}, within=DEADLINE_S)
        await until(lambda: server.watched == [at(5), at(9)])  # on from what was read
        assert mirror.is_current


async def test_a_list_that_is_older_than_what_was_read_meanwhile_takes_nothing_back() -> None:
    async with (
        StatusServer() as server,
        Client(server.address) as client,
        client.control_unit_statuses.mirror() as mirror,
    ):
        server.lists.clear()
        server.changes.put_nowait(GONE)
        await until(lambda: server.listed == 2)  # what it will answer is settled
        server.contact = Contact.CONTACT_LOST
        server.verdicts.put_nowait(LOST)
        await until(lambda: contacts(mirror) == {Contact.CONTACT_LOST})
        server.lists.set()
        await until(lambda: server.watched == [at(5), at(5)])
        server.verdicts.put_nowait(LOST)
        await until(lambda: contacts(mirror) == {Contact.CONTACT_LOST})


def contacts(mirror: Mirror[ControlUnitStatus]) -> set[int]:
    return {each.contact for each in mirror.values()}


def healths(mirror: Mirror[ControlUnitStatus]) -> set[int]:
    return {each.health for each in mirror.values()} if len(mirror) == 2 else set()


def want(state: State.ValueType, unit: ControlUnit) -> None:
    unit.desired_state = state


async def test_after_any_history_it_is_what_a_fresh_list_is(
    section: None, simulated: Program, client: Client, server: Replica
) -> None:
    chance = random.Random(7)
    simulated.start()
    units = client.control_units
    async with client.control_unit_statuses.mirror(id_prefix="LAB/") as mirror:
        await until(lambda: healths(mirror) == {Health.HEALTH_GOOD}, within=DEADLINE_S)
        names = {"LAB/A", "LAB/B"}
        for round_ in range(4):
            old = chance.choice(sorted(names))
            new = f"LAB/{round_}"
            request = RenameControlUnitRequest(
                name=units.name(old), new_name=units.name(new), etag="*"
            )
            await units.RenameControlUnit(request)
            names = names - {old} | {new}
            other = chance.choice(sorted(names))
            wanted = chance.choice([State.STATE_STOPPED, State.STATE_RUNNING, State.STATE_LOADED])
            await units.change(other, partial(want, wanted))
            if round_ == 1:
                await server.restart()
            if round_ == 2:
                await units.delete(other, etag="*")
                names.discard(other)
            await equals_a_list(client, mirror, "LAB/")
        assert set(mirror) == names
