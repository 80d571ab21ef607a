"""The blocking face of the client, which is the asynchronous one in a thread."""

import ast
import asyncio
import gc
import subprocess
import sys
import threading
from pathlib import Path
from typing import assert_type

import pytest
from mds.v1.control_unit_pb2 import GetControlUnitRequest
from mds.v1.kind_pb2 import Kind
from mds.v1.position_pb2 import Position
from mds.v1.template_pb2 import GetTemplateRequest, Template
from mds.v1.variable_pb2 import Variable
from mds.v1.watch_pb2 import WatchResponse

from control_units.client import NotFound, SyncClient, Unreachable
from control_units.client import blocking as module
from tests.client.scripted_server import ScriptedServer, hang
from tests.stages.ports import free_port
from tests.stages.replica import Replica
from tests.stages.waiting import until


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "control_units.client"]


def test_a_script_reads_and_writes_without_awaiting(server: Replica) -> None:
    with SyncClient(server.address) as client:
        created = client.variables.create(Variable(name="variables/A", value="1"))
        assert_type(created, Variable)
        changed = client.variables.change("A", lambda found: setattr(found, "value", "2"))
        assert client.variables.get("A") == changed
        assert [each.value for each in client.variables.list()] == ["2"]
        client.variables.delete(changed)
        with pytest.raises(NotFound):
            client.variables.get("A")
        template = Template(name="templates/T", implementation="T")
        assert client.apply([template], reason="a test").summary.created == 1
        assert client.templates.GetTemplate(GetTemplateRequest(name="templates/T")).name
        assert [each.name for each in client.export()] == ["templates/T"]
        assert client.position
    assert threads() == []


async def test_it_works_where_a_loop_runs_already(server: Replica) -> None:
    with SyncClient(server.address) as client:
        assert list(client.variables.list()) == []


def test_a_long_list_is_fetched_in_few_ways_to_the_loop(server: Replica) -> None:
    with SyncClient(server.address) as client:
        ids = [f"A/{number:04}" for number in range(1200)]
        client.apply(Variable(name=f"variables/{id}", value="1") for id in ids)
        assert [client.variables.id(each) for each in client.variables.list()] == ids


async def test_a_mirror_is_read_from_another_thread(server: Replica) -> None:
    with SyncClient(server.address) as client, client.variables.mirror() as mirror:
        client.variables.create(Variable(name="variables/A", value="1"))
        mirror.reached(client.position, timeout=10)
        assert_type(mirror["A"], Variable)
        assert ("A" in mirror, len(mirror), list(mirror)) == (True, 1, ["A"])
        server.kill()
        await until(lambda: not mirror.is_current)


def test_changes_are_told_to_a_plain_loop(server: Replica) -> None:
    with SyncClient(server.address) as client, client.changes(Kind.KIND_VARIABLE) as changes:
        next(changes)  # it begins with a bookmark
        client.variables.create(Variable(name="variables/A", value="1"))
        for word in changes:
            if word.events:
                break
        assert word.events[0].name == "variables/A"


async def test_the_position_is_after_the_word_that_was_handed_out_last() -> None:
    """Words are fetched ahead: whoever keeps the position and goes on from there gets the rest."""

    def at(revision: int) -> Position:
        return Position(store_id="store", epoch=1, revision=revision)

    def read(address: str) -> list[tuple[Position, Position | None]]:
        with SyncClient(address) as client, client.changes(after=at(7)) as changes:
            assert changes.position == at(7)
            return [(next(changes).position, changes.position) for _ in range(300)]

    words = [WatchResponse(position=at(revision)) for revision in range(8, 308)]
    async with ScriptedServer([hang], words) as server:
        kept = await asyncio.to_thread(read, server.address)
    assert kept == [(word.position, word.position) for word in words]


def test_what_a_callback_must_not_do_is_said(server: Replica) -> None:
    with SyncClient(server.address) as client:
        client.variables.create(Variable(name="variables/A", value="1"))
        with pytest.raises(RuntimeError, match="cannot wait for it"):
            client.variables.change("A", lambda _: client.variables.get("A"))


def test_a_closed_client_says_so() -> None:
    client = SyncClient(f"127.0.0.1:{free_port()}", timeout=0.2)
    with pytest.raises(Unreachable):
        client.control_units.GetControlUnit(GetControlUnitRequest(name="control_units/A"))
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.variables.get("A")


def test_a_client_that_is_forgotten_ends_its_thread() -> None:
    client = SyncClient(f"127.0.0.1:{free_port()}")
    del client
    gc.collect()
    assert threads() == []


def test_a_program_that_does_not_close_it_ends_all_the_same(server: Replica) -> None:
    script = (
        "from control_units.client import SyncClient\n"
        f"client = SyncClient('{server.address}')\n"
        "mirror = client.variables.mirror().__enter__()\n"
        "print(len(mirror))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_a_wrong_address_leaves_no_thread() -> None:
    with pytest.raises(ValueError, match="names no server"):
        SyncClient(" , ")
    assert threads() == []


def test_what_the_types_promise_is_there() -> None:
    stub = Path(module.__file__).with_suffix(".pyi")
    classes = [each for each in ast.parse(stub.read_text()).body if isinstance(each, ast.ClassDef)]
    (client,) = (each for each in classes if each.name == "SyncClient")
    with SyncClient("127.0.0.1:1") as made:
        for each in client.body:
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                assert getattr(made, each.target.id) is not None
            elif isinstance(each, ast.FunctionDef):
                assert hasattr(made, each.name)
