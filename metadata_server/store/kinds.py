"""How each kind of resource lies in its table: columns it is found by, and what it refers to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import (
    Agent,
    ExecutionUnit,
    Policy,
    Script,
    Snapshot,
    Variable,
)
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.campaign import Campaign
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.resource import Resource
from metadata_server.store import schema


@dataclass(frozen=True, slots=True)
class Reference:
    """That a kind names another resource by id; the table holds its key.

    Attributes:
        column: holds the key, or NULL.
        path: where the id stands in the plain form of the resource.
    """

    column: str
    kind: Kind
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind in its table.

    Attributes:
        columns: fields of the content that are columns of their own.
        references: fields that name other resources.
        derived: further columns, computed from the resource.
        spans: columns of references whose change ends the span of a name.
    """

    kind: Kind
    type: type[Resource]
    table: Table
    columns: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    derived: Callable[[Any], dict[str, Any]] = lambda _: {}
    spans: tuple[str, ...] = ()


def unit_columns(unit: ControlUnit) -> dict[str, Any]:
    return {"zone": unit.zone}


def template_columns(template: Template) -> dict[str, Any]:
    return {"published_version": template.published_version}


LAYOUTS: dict[Kind, Layout] = {
    layout.kind: layout
    for layout in (
        Layout(Kind.TEMPLATE, Template, schema.template, ("version",), derived=template_columns),
        Layout(
            Kind.UNIT_SERVER,
            UnitServer,
            schema.unit_server,
            references=(Reference("agent_key", Kind.AGENT, ("launch", "agent")),),
        ),
        Layout(
            Kind.CONTROL_UNIT,
            ControlUnit,
            schema.control_unit,
            ("template_version", "desired_state", "recover_count"),
            (
                Reference("template_key", Kind.TEMPLATE, ("template",)),
                Reference("unit_server_key", Kind.UNIT_SERVER, ("unit_server",)),
            ),
            unit_columns,
            ("template_key", "unit_server_key"),
        ),
        Layout(Kind.AGENT, Agent, schema.agent),
        Layout(Kind.EXECUTION_UNIT, ExecutionUnit, schema.execution_unit),
        Layout(Kind.VARIABLE, Variable, schema.variable),
        Layout(Kind.SCRIPT, Script, schema.script),
        Layout(Kind.SNAPSHOT, Snapshot, schema.snapshot),
        Layout(
            Kind.POLICY,
            Policy,
            schema.policy,
            references=(Reference("template_key", Kind.TEMPLATE, ("template",)),),
        ),
        Layout(Kind.MAINTENANCE, Maintenance, schema.maintenance, ("end_time_us",)),
        Layout(Kind.MACHINE_MODE, MachineMode, schema.machine_mode),
        Layout(
            Kind.GUARD,
            Guard,
            schema.guard,
            references=(Reference("machine_mode_key", Kind.MACHINE_MODE, ("machine_mode",)),),
        ),
        Layout(Kind.UNIT_LIST, UnitList, schema.unit_list),
        Layout(Kind.CAMPAIGN, Campaign, schema.campaign),
        Layout(Kind.WEBHOOK, Webhook, schema.webhook, ("enabled",)),
    )
}


def at_path(data: dict[str, Any], path: tuple[str, ...]) -> str:
    """The id at a path of a plain resource; empty when it is not there."""
    found: Any = data
    for step in path:
        found = (found or {}).get(step)
    return found or ""


def put_at(data: dict[str, Any], path: tuple[str, ...], id: str) -> None:
    """Sets the id at a path; an empty one leaves the field at its default."""
    holder = data
    for step in path[:-1]:
        holder = holder.setdefault(step, {}) if id else (holder.get(step) or {})
    if id:
        holder[path[-1]] = id
    else:
        holder.pop(path[-1], None)
