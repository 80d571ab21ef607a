"""Lists of control units: all of them, and those of which something should be known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mds.v1.control_unit_pb2 import (
    ControlUnit,
    ControlUnitStatus,
    ListControlUnitsRequest,
    ListControlUnitStatusesRequest,
)
from mds.v1.state_pb2 import CONTACT_ALIVE, CONTACT_SUSPECT, STATE_UNSPECIFIED

from control_units.client import Client
from webui import vocabulary
from webui.lists import cell
from webui.lists.cell import Cell
from webui.lists.kind import Action, Column, ListKind, rearranged
from webui.lists.reading import Call, Page, Query, plain
from webui.names import id_of
from webui.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class Unit:
    """A control unit: what people declare, and what it last said."""

    declared: ControlUnit
    status: ControlUnitStatus


async def read_units(client: Client, query: Query) -> Page[Unit]:
    """Raises: ClientError."""
    units = client.control_units
    page = await Call(units.ListControlUnits, ListControlUnitsRequest, "control_units").page(query)
    known = await _statuses(client).of(
        [each.name for each in page.things], "control_unit", as_of=query.as_of
    )
    never = ControlUnitStatus()
    things = [Unit(each, known.get(each.name, never)) for each in page.things]
    return Page(things, page.next_token)


def _statuses(client: Client) -> Call:
    return Call(
        client.control_units.ListControlUnitStatuses,
        ListControlUnitStatusesRequest,
        "control_unit_statuses",
    )


def state_of(unit: Unit) -> Cell:
    status = unit.status
    in_contact = status.contact in (CONTACT_ALIVE, CONTACT_SUSPECT)
    reported = status.state != STATE_UNSPECIFIED
    return cell.mark(vocabulary.state(status.state), was=reported and not in_contact)


def plain_unit(unit: Unit) -> Mapping[str, Any]:
    """As `mds list -o json` has it: the status beside what is declared."""
    return {**plain(unit.declared), "status": plain(unit.status)}


def tone_of(unit: Unit) -> str:
    return vocabulary.health(unit.status.health).tone


_COLUMNS: tuple[Column[Unit], ...] = (
    Column(key="verdict", title=gettext_noop("Verdict"), cell=lambda u: cell.mark(vocabulary.health(u.status.health))),
    Column(key="id", title=gettext_noop("Control unit"), cell=lambda u: cell.name(u.declared.name), sort="id", style="id"),
    Column(key="state", title=gettext_noop("State"), cell=state_of, sort="state"),
    Column(key="since", title=gettext_noop("Since"), cell=lambda u: cell.time(u.status.state_time), sort="since", falls=True),
    Column(key="unit_server", title=gettext_noop("Unit server"), cell=lambda u: cell.name(u.declared.unit_server), sort="unit_server", style="id"),
    Column(key="template", title=gettext_noop("Template"), cell=lambda u: cell.name(u.declared.template), sort="template", style="id"),
    Column(key="zone", title=gettext_noop("Zone"), cell=lambda u: cell.text(zone_of(u.declared.name)), sort="zone"),
    Column(key="conditions", title=gettext_noop("Conditions"), cell=lambda u: cell.conditions(list(u.status.conditions)), style="why"),
    Column(key="holds_since", title=gettext_noop("Hold since"), cell=lambda u: cell.earliest(list(u.status.conditions)), sort="holds_since", falls=True, is_past=False, is_usual=False),
    Column(key="message", title=gettext_noop("Message"), cell=lambda u: cell.text(u.status.message), style="why"),
    Column(key="desired", title=gettext_noop("Wanted"), cell=lambda u: cell.text(vocabulary.desired(u.declared.desired_state)), is_usual=False),
    Column(key="contact", title=gettext_noop("Contact"), cell=lambda u: cell.mark(vocabulary.contact(u.status.contact)), is_usual=False),
    Column(key="version", title=gettext_noop("Template version"), cell=lambda u: cell.number(u.declared.template_version), is_usual=False, style="number"),
    Column(key="level", title=gettext_noop("Level"), cell=lambda u: cell.number(u.declared.level), is_usual=False, style="number"),
    Column(key="overrides", title=gettext_noop("Overrides"), cell=lambda u: cell.number(len(u.declared.overrides)), is_usual=False, style="number"),
    Column(key="labels", title=gettext_noop("Labels"), cell=lambda u: cell.pairs(dict(u.declared.labels)), is_usual=False, style="why"),
    Column(key="changed", title=gettext_noop("Changed"), cell=lambda u: cell.time(u.declared.update_time), sort="changed", falls=True, is_usual=False),
    Column(key="created", title=gettext_noop("Created"), cell=lambda u: cell.time(u.declared.create_time), sort="created", falls=True, is_usual=False),
    Column(key="description", title=gettext_noop("Description"), cell=lambda u: cell.text(u.declared.description), is_usual=False, style="why"),
)  # fmt: skip

_ACTIONS = (
    Action(gettext_noop("Start"), "/operations/new", ("verb", "START")),
    Action(gettext_noop("Stop"), "/operations/new", ("verb", "STOP")),
    Action(gettext_noop("Initialize"), "/operations/new", ("verb", "INIT")),
    Action(gettext_noop("Recover"), "/operations/new", ("verb", "RECOVER")),
    Action(gettext_noop("Edit together"), "/datasets/edit", call="Edits.EditControlUnits"),
    Action(gettext_noop("Take a snapshot"), "/snapshots/new", call="LiveValues.TakeSnapshot"),
    Action(gettext_noop("Maintenance"), "/maintenances/new", call="Maintenances.CreateMaintenance"),
    Action(gettext_noop("Delete"), "/datasets/delete", call="Bundles.Apply"),
)


def zone_of(name: str) -> str:
    zone, slash, _ = id_of(name).partition("/")
    return zone if slash else ""


def told_with(unit: Unit) -> tuple[str, ...]:
    """Whose contact, and whose newest version, a unit is judged by."""
    return tuple(filter(None, (unit.declared.unit_server, unit.declared.template)))


CONTROL_UNITS: ListKind[Unit] = ListKind(
    path="control_units",
    title=gettext_noop("Control units"),
    noun="control_unit",
    columns=_COLUMNS,
    read=read_units,
    name=lambda unit: unit.declared.name,
    also=told_with,
    upon=("maintenances",),
    plain=plain_unit,
    tone=tone_of,
    every_s=60,  # that a unit server keeps dying is told by its agent, and by no event
    example="zone=DAFNE/PL -state=RUNNING",
    actions=_ACTIONS,
    create="ControlUnits.CreateControlUnit",
    edit="ControlUnits.UpdateControlUnit",
    takes_files=True,
    nothing=gettext_noop("No control unit has been declared yet."),
)

_OF_CONDITIONS = (
    "verdict",
    "id",
    "conditions",
    "holds_since",
    "message",
    "state",
    "since",
    "unit_server",
    "zone",
)

CONDITIONS: ListKind[Unit] = replace(
    CONTROL_UNITS,
    path="conditions",
    title=gettext_noop("Units with conditions"),
    columns=rearranged(_COLUMNS, _OF_CONDITIONS),
    base="condition:*",
    create="",
    example="condition=ConfigDrift",
    nothing=gettext_noop("Of no control unit there is anything that should be known."),
)
