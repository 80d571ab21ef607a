"""Lists of what else people declare: unit servers, agents, templates, snapshots, and what they
agree on."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from mds.v1.agent_pb2 import Agent, ListAgentsRequest
from mds.v1.agent_report_pb2 import AgentStatus, ListAgentStatusesRequest
from mds.v1.maintenance_pb2 import ListMaintenancesRequest, Maintenance
from mds.v1.policy_pb2 import ListPoliciesRequest, Policy
from mds.v1.snapshot_pb2 import ListSnapshotsRequest, Snapshot
from mds.v1.template_pb2 import ListTemplatesRequest, Template
from mds.v1.unit_server_pb2 import (
    ListUnitServersRequest,
    ListUnitServerStatusesRequest,
    UnitServer,
    UnitServerStatus,
)

from control_units.client import Client
from webui import vocabulary
from webui.lists import cell
from webui.lists.kind import Action, Column, ListKind
from webui.lists.reading import Call, Page, Query, plain
from webui.maintenances.shown import mark_of
from webui.past_time import time_of
from webui.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class Server:
    """A unit server: what people declare, and its last session."""

    declared: UnitServer
    status: UnitServerStatus


@dataclass(frozen=True, slots=True)
class Watched:
    """An agent: what people declare, and what it last said."""

    declared: Agent
    status: AgentStatus


@dataclass(frozen=True, slots=True)
class Judged:
    """A maintenance, and the time at which it is planned, goes on or is over."""

    declared: Maintenance
    time: datetime


async def read_servers(client: Client, query: Query) -> Page[Server]:
    """Raises: ClientError."""
    servers = client.unit_servers
    page = await Call(servers.ListUnitServers, ListUnitServersRequest, "unit_servers").page(query)
    statuses = Call(
        servers.ListUnitServerStatuses, ListUnitServerStatusesRequest, "unit_server_statuses"
    )
    known = await statuses.of([each.name for each in page.things], "unit_server", as_of=query.as_of)
    never = UnitServerStatus()
    things = [Server(each, known.get(each.name, never)) for each in page.things]
    return Page(things, page.next_token)


async def read_agents(client: Client, query: Query) -> Page[Watched]:
    """Raises: ClientError."""
    page = await Call(client.agents.ListAgents, ListAgentsRequest, "agents").page(query)
    said = Call(client.agent_reports.ListAgentStatuses, ListAgentStatusesRequest, "agent_statuses")
    # What agents say is not kept: of the past it is not known.
    names = [] if query.as_of else [each.name for each in page.things]
    known = await said.of(names, "agent")
    never = AgentStatus()
    return Page(
        [Watched(each, known.get(each.name, never)) for each in page.things], page.next_token
    )


async def read_templates(client: Client, query: Query) -> Page[Template]:
    """Raises: ClientError."""
    return await Call(client.templates.ListTemplates, ListTemplatesRequest, "templates").page(query)


async def read_snapshots(client: Client, query: Query) -> Page[Snapshot]:
    """Raises: ClientError."""
    return await Call(client.snapshots.ListSnapshots, ListSnapshotsRequest, "snapshots").page(query)


async def read_policies(client: Client, query: Query) -> Page[Policy]:
    """Raises: ClientError."""
    return await Call(client.policies.ListPolicies, ListPoliciesRequest, "policies").page(query)


async def read_maintenances(client: Client, query: Query) -> Page[Judged]:
    """Raises: ClientError."""
    listed = Call(client.maintenances.ListMaintenances, ListMaintenancesRequest, "maintenances")
    page, then = await asyncio.gather(listed.page(query), time_of(client, query.as_of))
    time = then or datetime.now(UTC)
    return replace(page, things=[Judged(each, time) for each in page.things])


def plain_server(server: Server) -> Mapping[str, Any]:
    return {**plain(server.declared), "status": plain(server.status)}


def plain_agent(agent: Watched) -> Mapping[str, Any]:
    return {**plain(agent.declared), "status": plain(agent.status)}


def version_state(template: Template) -> str:
    if not template.version_state:
        return ""
    return vocabulary.version_state(template.version_state).capitalize()


def _launch(title: str, how: str, call: str) -> Action:
    return Action(title, "/launches/new", ("how", how), f"UnitServers.{call}")


def _delete(path: str, call: str = "Bundles.Apply") -> Action:
    return Action(gettext_noop("Delete"), "/datasets/delete", ("of", path), call)


def covers(maintenance: Maintenance) -> cell.Cell:
    """Groups with a star, units and unit servers by their ids."""
    groups = [f"/{prefix}*" for prefix in maintenance.id_prefixes]
    return cell.names([*groups, *maintenance.unit_servers, *maintenance.control_units])


UNIT_SERVERS: ListKind[Server] = ListKind(
    path="unit_servers",
    title=gettext_noop("Unit servers"),
    noun="unit_server",
    columns=(
        Column(key="contact", title=gettext_noop("Contact"), cell=lambda s: cell.mark(vocabulary.contact(s.status.contact)), sort="contact", is_past=False),
        Column(key="id", title=gettext_noop("Unit server"), cell=lambda s: cell.name(s.declared.name), sort="id", style="id"),
        Column(key="host", title=gettext_noop("Host"), cell=lambda s: cell.text(s.status.host), sort="host", is_past=False),
        Column(key="pid", title=gettext_noop("Process"), cell=lambda s: cell.number(s.status.pid), style="number"),
        Column(key="started", title=gettext_noop("Registered"), cell=lambda s: cell.time(s.status.start_time), sort="started", falls=True, is_past=False),
        Column(key="ended", title=gettext_noop("Ended"), cell=lambda s: cell.time(s.status.end_time), sort="ended", falls=True, is_past=False),
        Column(key="agent", title=gettext_noop("Agent"), cell=lambda s: cell.name(s.declared.launch.agent), sort="agent", style="id"),
        Column(key="conditions", title=gettext_noop("Conditions"), cell=lambda s: cell.conditions(list(s.status.conditions)), style="why"),
        Column(key="description", title=gettext_noop("Description"), cell=lambda s: cell.text(s.declared.description), style="why"),
        Column(key="version", title=gettext_noop("Version"), cell=lambda s: cell.text(s.status.version), sort="version", is_past=False, is_usual=False),
        Column(key="address", title=gettext_noop("Address"), cell=lambda s: cell.text(s.status.address), sort="address", is_past=False, is_usual=False),
        Column(key="classes", title=gettext_noop("Classes"), cell=lambda s: cell.words(list(s.status.classes)), is_usual=False, style="why"),
        Column(key="labels", title=gettext_noop("Labels"), cell=lambda s: cell.pairs(dict(s.declared.labels)), is_usual=False, style="why"),
        Column(key="changed", title=gettext_noop("Changed"), cell=lambda s: cell.time(s.declared.update_time), sort="changed", falls=True, is_usual=False),
    ),
    read=read_servers,
    name=lambda server: server.declared.name,
    plain=plain_server,
    tone=lambda server: vocabulary.contact(server.status.contact).tone,
    every_s=60,  # that one keeps dying is told by its agent, and by no event
    example="contact=LOST id:BTF/*",
    nothing=gettext_noop("No unit server has been declared yet."),
    create="UnitServers.CreateUnitServer",
    edit="UnitServers.UpdateUnitServer",
    actions=(
        _launch(gettext_noop("Start"), "start", "StartUnitServer"),
        _launch(gettext_noop("Stop"), "stop", "StopUnitServer"),
        _launch(gettext_noop("Restart"), "restart", "RestartUnitServer"),
        Action(gettext_noop("Maintenance"), "/maintenances/new", ("of", "unit_servers"), "Maintenances.CreateMaintenance"),
        _delete("unit_servers"),
    ),
    takes_files=True,
)  # fmt: skip

AGENTS: ListKind[Watched] = ListKind(
    path="agents",
    title=gettext_noop("Agents"),
    noun="agent",
    columns=(
        Column(key="contact", title=gettext_noop("Contact"), cell=lambda a: cell.mark(vocabulary.contact(a.status.contact)), sort="contact", is_past=False),
        Column(key="id", title=gettext_noop("Agent"), cell=lambda a: cell.name(a.declared.name), sort="id", style="id"),
        Column(key="host", title=gettext_noop("Host"), cell=lambda a: cell.text(a.status.host), sort="runs_on", is_past=False),
        Column(key="pid", title=gettext_noop("Process"), cell=lambda a: cell.number(a.status.pid), style="number"),
        Column(key="started", title=gettext_noop("Since"), cell=lambda a: cell.time(a.status.start_time), sort="started", falls=True, is_past=False),
        Column(key="processes", title=gettext_noop("Unit servers"), cell=lambda a: cell.names([each.unit_server for each in a.status.processes]), style="why"),
        Column(key="version", title=gettext_noop("Version"), cell=lambda a: cell.text(a.status.version), sort="version", is_past=False),
        Column(key="description", title=gettext_noop("Description"), cell=lambda a: cell.text(a.declared.description), style="why"),
        Column(key="labels", title=gettext_noop("Labels"), cell=lambda a: cell.pairs(dict(a.declared.labels)), is_usual=False, style="why"),
        Column(key="changed", title=gettext_noop("Changed"), cell=lambda a: cell.time(a.declared.update_time), sort="changed", falls=True, is_usual=False),
    ),
    read=read_agents,
    name=lambda agent: agent.declared.name,
    plain=plain_agent,
    tone=lambda agent: vocabulary.contact(agent.status.contact).tone,
    example="contact=LOST id:host-*",
    every_s=5,
    past_note=gettext_noop("What agents say is not kept: of then nobody knows it."),
    actions=(_delete("agents"),),
    nothing=gettext_noop("No agent has been declared yet."),
)  # fmt: skip

TEMPLATES: ListKind[Template] = ListKind(
    path="templates",
    title=gettext_noop("Templates"),
    noun="template",
    columns=(
        Column(key="id", title=gettext_noop("Template"), cell=lambda t: cell.name(t.name), sort="id", style="id"),
        Column(key="version", title=gettext_noop("Version"), cell=lambda t: cell.number(t.version), sort="version", falls=True, style="number"),
        Column(key="version_state", title=gettext_noop("Newest is"), cell=lambda t: cell.text(version_state(t)), sort="version_state"),
        Column(key="group", title=gettext_noop("Group"), cell=lambda t: cell.text(t.group), sort="group"),
        Column(key="attributes", title=gettext_noop("Attributes"), cell=lambda t: cell.number(len(t.attributes)), style="number"),
        Column(key="drivers", title=gettext_noop("Drivers"), cell=lambda t: cell.words([each.name for each in t.drivers]), style="why"),
        Column(key="description", title=gettext_noop("Description"), cell=lambda t: cell.text(t.description), style="why"),
        Column(key="changed", title=gettext_noop("Changed"), cell=lambda t: cell.time(t.update_time), sort="changed", falls=True),
        Column(key="implementation", title=gettext_noop("Class"), cell=lambda t: cell.text(t.implementation), sort="implementation", is_usual=False, style="id"),
        Column(key="interface", title=gettext_noop("Interface"), cell=lambda t: cell.text(t.interface), sort="interface", is_usual=False),
        Column(key="labels", title=gettext_noop("Labels"), cell=lambda t: cell.pairs(dict(t.labels)), is_usual=False, style="why"),
    ),
    read=read_templates,
    name=lambda template: template.name,
    example="id:driver* -description:obsolete",
    nothing=gettext_noop("No template has been declared yet."),
    create="Templates.CreateTemplate",
    edit="Templates.UpdateTemplate",
    actions=(_delete("templates"),),
    takes_files=True,
)  # fmt: skip

SNAPSHOTS: ListKind[Snapshot] = ListKind(
    path="snapshots",
    title=gettext_noop("Snapshots"),
    noun="snapshot",
    columns=(
        Column(key="id", title=gettext_noop("Snapshot"), cell=lambda s: cell.name(s.name), sort="id", style="id"),
        Column(key="marks", title=gettext_noop("Marks"), cell=lambda s: cell.Cell(text=", ".join(s.marks), notes=tuple(map(cell.Note, s.marks))), style="why"),
        Column(key="description", title=gettext_noop("Description"), cell=lambda s: cell.text(s.description), style="why"),
        Column(key="created", title=gettext_noop("Taken"), cell=lambda s: cell.time(s.create_time), sort="created", falls=True),
        Column(key="changed", title=gettext_noop("Changed"), cell=lambda s: cell.time(s.update_time), sort="changed", falls=True),
        Column(key="labels", title=gettext_noop("Labels"), cell=lambda s: cell.pairs(dict(s.labels)), is_usual=False, style="why"),
    ),
    read=read_snapshots,
    name=lambda snapshot: snapshot.name,
    create="LiveValues.TakeSnapshot",
    actions=(
        Action(gettext_noop("Compare"), "/snapshots/compare", call="Snapshots.CompareSnapshots"),
        _delete("snapshots"),
    ),
    example="mark=golden",
    nothing=gettext_noop("No snapshot has been taken yet."),
)  # fmt: skip

POLICIES: ListKind[Policy] = ListKind(
    path="policies",
    title=gettext_noop("Policies"),
    noun="policy",
    columns=(
        Column(key="id", title=gettext_noop("Policy"), cell=lambda p: cell.name(p.name), sort="id", style="id"),
        Column(key="description", title=gettext_noop("Description"), cell=lambda p: cell.text(p.description), style="why"),
        Column(key="changed", title=gettext_noop("Changed"), cell=lambda p: cell.time(p.update_time), sort="changed", falls=True),
    ),
    read=read_policies,
    name=lambda policy: policy.name,
    example="requires_reason",
    actions=(_delete("policies", "Policies.DeletePolicy"),),
    nothing=gettext_noop("No policy has been declared yet."),
)  # fmt: skip

MAINTENANCES: ListKind[Judged] = ListKind(
    path="maintenances",
    title=gettext_noop("Maintenances"),
    noun="maintenance",
    columns=(
        Column(key="state", title=gettext_noop("State"), cell=lambda m: cell.mark(mark_of(m.declared, m.time))),
        Column(key="id", title=gettext_noop("Maintenance"), cell=lambda m: cell.name(m.declared.name), sort="id", style="id"),
        Column(key="description", title=gettext_noop("Why"), cell=lambda m: cell.text(m.declared.description), style="why"),
        Column(key="begin", title=gettext_noop("Begins"), cell=lambda m: cell.time(m.declared.begin_time), sort="begin", falls=True),
        Column(key="end", title=gettext_noop("Ends"), cell=lambda m: cell.time(m.declared.end_time), sort="end", falls=True),
        Column(key="covers", title=gettext_noop("Covers"), cell=lambda m: covers(m.declared), style="why"),
        Column(key="changed", title=gettext_noop("Changed"), cell=lambda m: cell.time(m.declared.update_time), sort="changed", falls=True, is_usual=False),
    ),
    read=read_maintenances,
    name=lambda maintenance: maintenance.declared.name,
    plain=lambda maintenance: plain(maintenance.declared),
    create="Maintenances.CreateMaintenance",
    edit="Maintenances.UpdateMaintenance",
    actions=(
        Action(gettext_noop("End them"), "/maintenances/end", call="Maintenances.DeleteMaintenance"),
    ),
    example="end>2026-11-01",
    nothing=gettext_noop("Nothing is, or will be, in maintenance."),
)  # fmt: skip
