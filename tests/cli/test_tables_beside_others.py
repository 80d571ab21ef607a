"""Tables that are applied while others change the same units: a row takes back nothing that it does
not speak of, also where the change came between reading the units and planning for them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import click
import pytest
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.template_pb2 import Template

from control_units.cli.connection import Connection
from control_units.cli.editing import applying
from control_units.cli.editing.planning import Wish
from control_units.client import Client
from control_units.client.finding import find_control_units
from tests.stages.replica import Replica

OURS = "A/B"
Change = Callable[[Client], Awaitable[object]]


@pytest.fixture
def database(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture
async def client(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setenv("MDS_ADDRESS", replica.address)
    async with Client(replica.address, principal="carla@desk") as client:
        unit = ControlUnit(name=f"control_units/{OURS}", template="templates/T", description="old")
        template = Template(name="templates/T", implementation="T")
        await client.apply([template, unit], reason="before")
        yield client


async def applied(
    monkeypatch: pytest.MonkeyPatch,
    table: Path,
    *changes: Change,
) -> None:
    """Applies a table; each time that its units have been read, somebody makes the next change
    before anything is planned."""
    left = list(changes)

    async def found(client: Client, names: Sequence[str]) -> dict[str, ControlUnit]:
        units = await find_control_units(client, names)
        if left:
            await left.pop(0)(client)
        return units

    monkeypatch.setattr(applying, "find_control_units", found)
    wish = Wish(is_dry_run=False, is_agreed=True, output="text")
    await asyncio.to_thread(
        lambda: applying.apply_files(Connection(), [table], wish, reason="levels", is_pruned=False)
    )


def described(text: str) -> Change:
    async def change(client: Client) -> None:
        unit = await client.control_units.get(OURS)
        unit.description = text
        await client.control_units.update(unit, "description", reason="meanwhile")

    return change


async def deleted(client: Client) -> None:
    await client.control_units.delete(OURS, etag="*", reason="meanwhile")


async def created(client: Client) -> None:
    unit = ControlUnit(name="control_units/A/C", template="templates/T", description="hers")
    await client.control_units.create(unit, reason="meanwhile")


def table(folder: Path, text: str) -> Path:
    file = folder / "table.csv"
    file.write_text(text)
    return file


async def test_a_field_that_no_column_names_stays_as_somebody_has_just_made_it(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await applied(
        monkeypatch, table(tmp_path, "id,level\nA/B,3\n"), described("SAFETY: do not start")
    )
    unit = await client.control_units.get(OURS)
    assert (unit.level, unit.description) == (3, "SAFETY: do not start")


async def test_a_unit_that_was_just_deleted_does_not_come_again(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(click.exceptions.Exit):
        await applied(monkeypatch, table(tmp_path, "id,level\nA/B,3\n"), deleted)
    assert "there is no unit 'A/B' yet" in capsys.readouterr().out
    assert [unit async for unit in client.control_units.list()] == []


async def test_a_unit_that_somebody_has_just_created_keeps_what_no_column_names(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = table(tmp_path, "id,level,template\nA/C,3,templates/T\n")
    await applied(monkeypatch, rows, created)
    unit = await client.control_units.get("A/C")
    assert (unit.level, unit.description) == (3, "hers")


async def test_where_others_never_stop_changing_the_units_nothing_is_written(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changes = [described(f"number {number}") for number in range(10)]
    with pytest.raises(click.ClickException, match="Nothing was written") as failure:
        await applied(monkeypatch, table(tmp_path, "id,level\nA/B,3\n"), *changes)
    assert OURS in failure.value.message
    unit = await client.control_units.get(OURS)
    assert unit.level == 0
    assert unit.description.startswith("number ")


async def test_a_row_that_a_server_refuses_is_told_and_not_taken_for_a_change_of_others(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(click.exceptions.Exit):
        await applied(monkeypatch, table(tmp_path, "id,unit_server\nA/B,NONE\n"))
    assert "unit_servers/NONE" in capsys.readouterr().out
