"""Searches: ids of what there is, by a part of the id."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

from mds.v1 import (
    agent_pb2,
    agent_report_pb2,
    control_unit_pb2,
    script_pb2,
    snapshot_pb2,
    state_pb2,
    unit_server_pb2,
    variable_pb2,
)

from metadata_server.api.chaos.call import Call
from metadata_server.api.chaos.command import Command, elsewhere
from metadata_server.api.chaos.descriptions import unit_description
from metadata_server.api.chaos.parm import wrong
from metadata_server.api.chaos.reading import id_of
from metadata_server.api.chaos.scripts import summary
from metadata_server.api.chaos.words import HEALTH
from metadata_server.api.rest.encoding import Json

PART = re.compile(r"[A-Za-z0-9_.:+/*-]*\Z")
IN_TOUCH = "ALIVE,SUSPECT"
CONTACTS = frozenset({state_pb2.CONTACT_ALIVE, state_pb2.CONTACT_SUSPECT})
STATES = {word.lower(): state_pb2.State.keys()[state][6:] for state, word in HEALTH.items()}
NO_GROUP = 3
"""Segments that an id has at least, of which clients see zone and class."""


def pattern_of(text: str, field: str = "name") -> str:
    """A part of an id as the filter language has it; empty: any.

    Clients write parts of ids, some with a `*` or as a regular expression's `.*`, `^` and `$`.

    Raises:
        Refused: INVALID_FIELD, for other expressions.
    """
    text = text.strip()
    first, last = text.startswith("^"), text.endswith("$")
    part = text.removeprefix("^").removesuffix("$").replace(".*", "*")
    if not PART.match(part):
        raise wrong(field, text, "a part of an id, with * for any text; ^ and $ for its ends")
    if not part.strip("*"):
        return ""
    return f"{'' if first else '*'}{part}{'' if last else '*'}"


def filter_of(name: str, *, alive: bool = False, kept: Iterable[str] = ()) -> str:
    """What is searched for, in the filter language."""
    pattern = pattern_of(name)
    found = [f"id:{pattern}"] if pattern else []
    if alive:
        found.append(f"contact={IN_TOUCH}")
    return " ".join([*found, *kept])


def narrowing(call: Call) -> list[str]:
    """What narrows searches for units, besides their ids.

    Raises:
        Refused: INVALID_FIELD.
    """
    found = []
    if state := call.parm.text("state"):
        if state.lower() not in STATES:
            raise wrong("state", state, f"one of {', '.join(HEALTH.values())}")
        found.append(f"state={STATES[state.lower()]}")
    if pattern := pattern_of(call.parm.text("impl").replace("::", ":").lstrip(":"), "impl"):
        found.append(f"template:{pattern.replace(':', '::')}")
    return found


async def units(call: Call, name: str, *, alive: bool) -> AsyncIterator[str]:
    more = narrowing(call)
    text = filter_of(name, alive=alive, kept=more)
    request: Any
    if alive or any(each.startswith("state=") for each in more):
        request = control_unit_pb2.ListControlUnitStatusesRequest(filter=text)
        method, field = "ControlUnits.ListControlUnitStatuses", "control_unit_statuses"
        async for status in call.listed(method, request, field):
            yield id_of(status.control_unit)
        return
    request = control_unit_pb2.ListControlUnitsRequest(filter=text)
    async for unit in call.listed("ControlUnits.ListControlUnits", request, "control_units"):
        yield id_of(unit.name)


async def servers(call: Call, name: str, *, alive: bool) -> AsyncIterator[str]:
    text = filter_of(name, alive=alive)
    request: Any
    if alive:
        request = unit_server_pb2.ListUnitServerStatusesRequest(filter=text)
        method, field = "UnitServers.ListUnitServerStatuses", "unit_server_statuses"
        async for status in call.listed(method, request, field):
            yield id_of(status.unit_server)
        return
    request = unit_server_pb2.ListUnitServersRequest(filter=text)
    async for server in call.listed("UnitServers.ListUnitServers", request, "unit_servers"):
        yield id_of(server.name)


async def agents(call: Call, name: str, *, alive: bool) -> AsyncIterator[str]:
    running = set()
    if alive:
        asked = agent_report_pb2.ListAgentStatusesRequest()
        method, field = "AgentReports.ListAgentStatuses", "agent_statuses"
        async for status in call.listed(method, asked, field):
            if status.contact in CONTACTS:
                running.add(status.agent)
    request = agent_pb2.ListAgentsRequest(filter=filter_of(name))
    async for agent in call.listed("Agents.ListAgents", request, "agents"):
        if not alive or agent.name in running:
            yield id_of(agent.name)


async def variables(call: Call, name: str, *, alive: bool) -> AsyncIterator[str]:  # noqa: ARG001
    request = variable_pb2.ListVariablesRequest(filter=filter_of(name))
    async for variable in call.listed("Variables.ListVariables", request, "variables"):
        yield id_of(variable.name)


IDS = {"cu": units, "us": servers, "agent": agents, "variable": variables}


async def ids(call: Call) -> Json:
    """Of what is searched for, without repetitions; in pages where both of `pagestart` and
    `pagelen` are there."""
    what = call.parm.text("what") or "cu"
    if call.form.cmd == "variable":
        what = "variable"
    found = await found_ids(call, what, alive=call.parm.flag("alive", default=True))
    start, length = call.parm.number("pagestart"), call.parm.number("pagelen")
    if length == 0:
        raise wrong("pagelen", 0, "a whole number, from 1")
    if start is None or length is None:
        return found[:length] if length else found
    pages = -(-len(found) // length)
    return {"pages": pages, "list": found[start * length : (start + 1) * length]}


async def found_ids(call: Call, what: str, *, alive: bool) -> list[str]:
    names = call.parm.texts("names") or [call.parm.text("name")]
    found = [id for name in names async for id in IDS[what](call, name, alive=alive)]
    return list(dict.fromkeys(found))


async def zones(call: Call) -> Json:
    """What stands before the last two segments of ids that have three or more."""
    found = await found_ids(call, "cu", alive=call.parm.flag("alive", default=True))
    return sorted({id.rsplit("/", 2)[0] for id in found if id.count("/") + 1 >= NO_GROUP})


async def classes(call: Call) -> Json:
    """The last segment but one of ids that have three or more."""
    found = await found_ids(call, "cu", alive=call.parm.flag("alive", default=True))
    return sorted({id.rsplit("/", 2)[1] for id in found if id.count("/") + 1 >= NO_GROUP})


async def snapshots(call: Call) -> Json:
    request = snapshot_pb2.ListSnapshotsRequest(
        filter=filter_of(call.parm.text("name")), page_size=100
    )
    return [dated(each) async for each in listed_snapshots(call, request)]


async def snapshots_of(call: Call) -> Json:
    unit = call.parm.needed("name")
    return [dated(each) for each in await with_unit(call, unit)]


async def with_unit(call: Call, unit: str) -> list[Any]:
    """The snapshots that hold values of a unit."""
    request = snapshot_pb2.ListSnapshotsRequest(page_size=100)
    return [
        each
        async for each in listed_snapshots(call, request)
        if any(saved.control_unit == unit for saved in each.units)
    ]


async def in_snapshot(call: Call) -> Json:
    name = f"snapshots/{call.parm.needed('name')}"
    request = snapshot_pb2.GetSnapshotRequest(name=name)
    found = await call.ask("Snapshots.GetSnapshot", request)
    return [each.control_unit for each in found.units]


def listed_snapshots(call: Call, request: Any) -> AsyncIterator[Any]:
    return call.listed("Snapshots.ListSnapshots", request, "snapshots")


def dated(snapshot: Any) -> Json:
    time = snapshot.taken_time if snapshot.HasField("taken_time") else snapshot.create_time
    return {"name": id_of(snapshot.name), "ts": time.ToMilliseconds()}


async def found_scripts(call: Call) -> Json:
    request = script_pb2.ListScriptsRequest(filter=filter_of(call.parm.text("name")))
    found = call.listed("Scripts.ListScripts", request, "scripts")
    return {"found_script_list": [summary(each) async for each in found]}


async def description(call: Call) -> Json:
    return await unit_description(call, call.parm.needed("name"))


STATUSES = "GET /v1/control_unit_statuses?filter=…"
AS_PARTS = "`name` is a part of the id, with `*` for any text; paged with `pagestart`, `pagelen`"
FROM_IDS = "worked out from the ids of units"
COMMANDS = (
    Command(
        cmd="search",
        what="cu",
        here=f"GET /v1/control_units?filter=…, or {STATUSES}",
        note=AS_PARTS,
        run=ids,
    ),
    Command(cmd="search", what="us", here="GET /v1/unit_servers?filter=…", run=ids),
    Command(cmd="search", what="agent", here="GET /v1/agents?filter=…", run=ids),
    Command(cmd="search", what="variable", here="GET /v1/variables?filter=…", run=ids),
    Command(cmd="variable", what="search", here="GET /v1/variables?filter=…", run=ids),
    Command(cmd="search", what="zone", here=STATUSES, note=FROM_IDS, run=zones),
    Command(cmd="search", what="class", here=STATUSES, note=FROM_IDS, run=classes),
    Command(cmd="search", what="snapshots", here="GET /v1/snapshots", run=snapshots),
    Command(
        cmd="search",
        what="snapshotsof",
        here="GET /v1/snapshots",
        note="reads all snapshots",
        run=snapshots_of,
    ),
    Command(cmd="search", what="insnapshot", here="GET /v1/snapshots/{id}", run=in_snapshot),
    Command(cmd="search", what="script", here="GET /v1/scripts?filter=…", run=found_scripts),
    Command(cmd="search", what="desc", here="GET /v1/control_units/{id}", run=description),
    *elsewhere("search", "ceu root", "GET /v1/execution_units"),
    *elsewhere("search", "all", "a search for each of cu, us and agent"),
    *elsewhere("search", "mds server cds webui", "/healthz/ready of each replica"),
    *elsewhere("search", "tag", "GET /v1/snapshots?mark=…"),
)
