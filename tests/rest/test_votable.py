"""VOTables are what the International Virtual Observatory Alliance says that they are: by its own
schema, and to the reader that astronomers use."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import xmlschema
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.agent_pb2 import Agent
from mds.v1.condition_pb2 import Condition
from mds.v1.control_unit_pb2 import ControlUnit, ControlUnitStatus
from mds.v1.dataset_pb2 import AttributeOverride
from mds.v1.state_pb2 import STATE_RUNNING
from mds.v1.template_pb2 import Template
from mds.v1.unit_server_pb2 import UnitServerStatus

from metadata_server.api.rest.columns import columns_of
from metadata_server.api.rest.encoding import tree_of
from metadata_server.api.rest.formats import VoTable

if TYPE_CHECKING:
    from astropy.table import Table

HARD = "<a & 'b'> ]]> \"c\" é ∞ \t \x01"
LISTS: dict[str, list[Message]] = {
    "controlUnits": [
        ControlUnit(name="control_units/A", description=HARD, labels={"a<b": HARD}, revision=2**62),
        ControlUnit(
            name="control_units/B",
            desired_state=STATE_RUNNING,
            overrides=[AttributeOverride(attribute="current", maximum="10")],
            create_time=Timestamp(seconds=1_763_000_000, nanos=120_000_000),
        ),
    ],
    "controlUnitStatuses": [
        ControlUnitStatus(
            name="control_unit_statuses/A",
            unfenced=True,
            state_time=Timestamp(seconds=1),
            conditions=[Condition(type="ConfigDrift", message=HARD)],
        )
    ],
    "unitServerStatuses": [UnitServerStatus(name="unit_server_statuses/S", pid=2**40)],
    "templates": [Template(name="templates/T", description=HARD)],
    "agents": [Agent(name="agents/a")],
}


def votable(title: str, messages: Sequence[Message]) -> bytes:
    table = VoTable(title, columns_of(cast("Descriptor", LISTS[title][0].DESCRIPTOR)))
    rows = table.items([tree_of(each) for each in messages], is_first=True)
    return table.beginning() + rows + table.end(is_empty=not messages)


# Astropy is loaded where it is used: a whole second, which each process that runs tests would spend.


@cache
def schema() -> xmlschema.XMLSchema:
    import astropy.io.votable

    folder = Path(astropy.io.votable.__file__).parent / "data"
    return xmlschema.XMLSchema(str(folder / "VOTable.v1.4.xsd"), allow="local")


def read_by_astronomers(title: str) -> Table:
    import astropy.io.votable

    file = io.BytesIO(votable(title, LISTS[title]))
    return astropy.io.votable.parse(file, verify="exception").get_first_table().to_table()


@pytest.mark.parametrize("title", LISTS)
def test_tables_follow_the_schema(title: str) -> None:
    for messages in (LISTS[title], []):
        errors = [str(each.reason) for each in schema().iter_errors(votable(title, messages))]
        assert errors == []


@pytest.mark.parametrize("title", LISTS)
def test_tables_are_read_by_others(title: str) -> None:
    table = read_by_astronomers(title)
    assert list(table["name"]) == [tree_of(each)["name"] for each in LISTS[title]]


def test_what_is_read_is_what_was_there() -> None:
    table = read_by_astronomers("controlUnits")
    assert table["description"][0] == HARD.replace("\x01", "\ufffd")
    assert int(table["revision"][0]) == 2**62
    assert table["createTime"][1].startswith("2025-11-13T")
