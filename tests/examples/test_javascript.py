"""The example in JavaScript: a client that is generated from the protocol, in another language."""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from mds.v1.operation_pb2 import OrderVerb
from mds.v1.state_pb2 import Contact, State

from control_units.client import Client, NotFound
from tests.cli.conftest import run_mds
from tests.conftest import StartReplica
from tests.examples.javascript import prepared
from tests.stages.node import what_is_missing
from tests.stages.program import Program
from tests.stages.requirements import needs
from tests.stages.waiting import until

LABORATORY = Path(__file__).resolve().parents[2] / "examples" / "laboratory.yaml"
OVEN, BATH = "LAB/OVEN/TEMPERATURE", "LAB/BATH/TEMPERATURE"
DEADLINE_S = 30


@pytest.fixture
def example() -> Path:
    needs(what_is_missing())
    return prepared()


@pytest.fixture
def node(example: Path, tmp_path: Path) -> Iterator["Node"]:
    node = Node(example, tmp_path)
    yield node
    for program in node.programs:
        program.clear()


class Node:
    """Programs of the example."""

    def __init__(self, example: Path, folder: Path) -> None:
        self._example = example
        self._folder = folder
        self.programs: list[Program] = []

    def start(self, script: str, *addresses: str) -> Program:
        program = Program(
            ["node", str(self._example / script)],
            log=self._folder / f"{script}.log",
            environment={"MDS_ADDRESS": ",".join(addresses)},
        )
        self.programs.append(program)
        program.start()
        return program


async def test_its_fingerprints_are_those_of_the_protocol(node: Node) -> None:
    vectors = node.start("vectors.js")
    assert await vectors.ended(within=DEADLINE_S) == 0, vectors.output()


async def test_a_unit_server_in_javascript_lives_and_obeys(
    node: Node, start_replica: StartReplica, sqlite_database: str
) -> None:
    replica = await start_replica(sqlite_database)
    environment = {"MDS_ADDRESS": replica.address}
    imported = await run_mds("import", "facility", str(LABORATORY), environment=environment)
    assert imported.code == 0, imported.err
    thermometer = node.start("thermometer.js", replica.address)
    async with Client(replica.address) as client:
        for id in (OVEN, BATH):
            await until(partial(is_running, client, id), within=DEADLINE_S)
        before = await client.control_unit_statuses.get(OVEN)
        dataset = before.dataset
        assert dataset, "it has published what its code has"

        session = node.start("session.js", replica.address)
        assert await session.ended(within=DEADLINE_S) == 0, session.output()
        assert "refused: Aborted" in session.output()
        status = await client.control_unit_statuses.get(OVEN)
        unit = await client.control_units.get(OVEN)
        assert unit.overrides[0].default_value == "35"
        assert status.reached_generation == unit.generation

        await replica.restart()
        stop = await client.operations.order(OrderVerb.ORDER_VERB_STOP, [BATH], reason="a test")
        await stop.done(timeout=DEADLINE_S)
        after = await client.control_unit_statuses.get(BATH)
        assert (after.state, after.contact) == (State.STATE_STOPPED, Contact.CONTACT_ALIVE)
        assert after.session == before.session, "it has come back as who it was"
        assert not [each.type for each in after.conditions], "it uses what it should use"

        thermometer.signal(signal.SIGTERM)
        assert await thermometer.ended(within=DEADLINE_S) == 0, thermometer.output()
        gone = await client.control_unit_statuses.get(OVEN)
        assert (gone.state, gone.contact) == (State.STATE_UNLOADED, Contact.CONTACT_NONE)


async def is_running(client: Client, id: str) -> bool:
    try:
        status = await client.control_unit_statuses.get(id)
    except NotFound:
        return False
    return status.state == State.STATE_RUNNING
