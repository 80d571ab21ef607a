"""The section `us`: unit servers with the control units that they host."""

from collections.abc import Iterator
from dataclasses import dataclass

from mds.v1.unit_server_pb2 import UnitServer

from control_units.importers.chaos.entries import Entry, entries, is_empty, text_of
from control_units.importers.chaos.seen import Seen
from control_units.importers.chaos.units import StatedUnit, read_unit, take_id, take_type
from control_units.importers.findings import Findings
from control_units.importers.json_text import Value

_ID = ("ndk_uid", "unit_server_alias")
_PARENT = ("ndk_parent", "unit_server_alias")


@dataclass(frozen=True, slots=True)
class StatedServer:
    """A unit server of the file.

    Attributes:
        parent: id of the agent that it says it belongs to; empty: none.
    """

    server: UnitServer
    place: str
    parent: str


def read_unit_servers(
    value: Value, place: str, seen: Seen, findings: Findings
) -> tuple[list[StatedServer], list[StatedUnit]]:
    """The servers, and the units of all of them, that can be taken."""
    servers: list[StatedServer] = []
    units: list[StatedUnit] = []
    for entry in entries(value, place, findings):
        before = len(findings.problems)
        entry.unfold("us_desc")
        server_id = take_id(entry, "unit_servers", findings, spellings=_ID)
        at, hosted = entry.place_of("cu_desc"), entry.take("cu_desc")
        is_sound = len(findings.problems) == before
        if is_sound and seen.is_first(f"unit_servers/{server_id}", entry.place):
            servers.append(_server(entry, server_id, findings))
        if is_sound:
            units.extend(_hosted(hosted, at, server_id, seen, findings))
        elif not is_empty(hosted) and isinstance(hosted, list | dict):
            findings.note(at, f"holds {len(hosted)} control units, left out with their server")
    return servers, units


def _server(entry: Entry, server_id: str, findings: Findings) -> StatedServer:
    take_type(entry, "nt_unit_server")
    parent = entry.text("ndk_parent")
    server = UnitServer(name=f"unit_servers/{server_id}", description=entry.text("ndk_desc"))
    server.properties.update(entry.properties(findings))
    return StatedServer(server, entry.place, parent)


def _hosted(
    value: Value, place: str, server: str, seen: Seen, findings: Findings
) -> Iterator[StatedUnit]:
    for entry in entries(value, place, findings):
        entry.unfold("instance_description")
        for spelling in _PARENT:
            _take_parent(entry, spelling, server, findings)
        unit = read_unit(entry, "control_units", f"unit_servers/{server}", findings)
        if unit is not None and seen.is_first(unit.name, unit.place):
            yield unit


def _take_parent(entry: Entry, spelling: str, server: str, findings: Findings) -> None:
    """A unit stands inside its server; that it names another one is a slip of its writer."""
    parent = entry.take(spelling)
    if not is_empty(parent) and text_of(parent) != server:
        entry.put_back(spelling, parent)
        findings.note(
            entry.place_of(spelling),
            f"says {text_of(parent)!r}; the unit stands under {server!r}, which is taken as its "
            f"unit server, and this is kept as the property {spelling}",
        )
