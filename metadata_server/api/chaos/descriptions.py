"""Units, unit servers and agents as documents of !CHAOS."""

from __future__ import annotations

from typing import Any

from mds.v1 import agent_pb2, control_unit_pb2, dataset_pb2, state_pb2, unit_server_pb2

from metadata_server.api.chaos.call import Call
from metadata_server.api.chaos.command import Command
from metadata_server.api.chaos.reading import (
    as_asked,
    configurations,
    declared,
    devices_of,
    gathered,
    id_of,
    names_of,
    present,
    unit_name,
)
from metadata_server.api.chaos.values import document
from metadata_server.api.chaos.words import (
    AGENT,
    DIRECTIONS,
    FACETS,
    PARAMETERS,
    TYPES,
    UNIT,
    UNIT_SERVER,
)
from metadata_server.api.rest.encoding import Json
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import RefusalKind, Refused

FLAGS = {
    "auto_load": (
        state_pb2.STATE_LOADED,
        state_pb2.STATE_INITIALIZED,
        state_pb2.STATE_RUNNING,
        state_pb2.STATE_STOPPED,
    ),
    "auto_init": (
        state_pb2.STATE_INITIALIZED,
        state_pb2.STATE_RUNNING,
        state_pb2.STATE_STOPPED,
    ),
    "auto_start": (state_pb2.STATE_RUNNING,),
}


async def describe(call: Call) -> Json:
    """Units by `dev`."""
    ids = devices_of(call)
    found = await declared(call, ids)
    used = await configurations(call, present(found))
    return [
        description(unit, used[id]) if id in used else missing(id, unit)
        for id, unit in found.items()
    ]


async def describe_nodes(call: Call) -> Json:
    """Nodes of any type by name: a unit, else a unit server, else an agent."""

    async def one(id: str) -> Json:
        try:
            return await unit_description(call, id)
        except Refused as refused:
            if refused.kind is not RefusalKind.NOT_FOUND:
                raise
            first = refused
        for describe_it in (server_description, agent_description):
            try:
                return await describe_it(call, id)
            except Refused as refused:
                if refused.kind is not RefusalKind.NOT_FOUND:
                    raise
        raise first

    return as_asked(call, await gathered(names_of(call), one))


async def get_units(call: Call) -> Json:
    async def one(id: str) -> Json:
        return (await unit_description(call, id))["instance_description"]

    return as_asked(call, await gathered(names_of(call), one))


async def get_servers(call: Call) -> Json:
    """Unit servers with all that they host, as `us_desc` of a file."""

    async def one(id: str) -> Json:
        server = await server_description(call, id)
        request = control_unit_pb2.ListControlUnitsRequest(unit_server=server_name(id))
        units = {
            id_of(unit.name): unit
            async for unit in call.listed("ControlUnits.ListControlUnits", request, "control_units")
        }
        used = await configurations(call, list(units))
        hosted = [instance(unit, used[each]) for each, unit in units.items()]
        return {"us_desc": server | {"cu_desc": hosted}}

    return as_asked(call, await gathered(names_of(call), one))


async def parents(call: Call) -> Json:
    """The agents of unit servers."""

    async def one(id: str) -> Json:
        request = unit_server_pb2.GetUnitServerRequest(name=server_name(id))
        server = await call.ask("UnitServers.GetUnitServer", request)
        agent = id_of(server.launch.agent)
        return {"ndk_uid": agent} if agent else {}

    return as_asked(call, await gathered(names_of(call), one))


async def describe_agents(call: Call) -> Json:
    async def one(id: str) -> Json:
        return await agent_description(call, id)

    return as_asked(call, await gathered(names_of(call), one))


async def get_association(call: Call) -> Json:
    """How the agent `name` launches the node `parent`."""
    node = call.parm.needed("parent")
    agent = await agent_description(call, call.parm.needed("name"))
    found = (each for each in agent["andk_node_associated"] if each["ndk_uid"] == node)
    return next(found, {})


def missing(id: str, refused: Refused) -> Json:
    return {"ndk_uid": id, "error_status": str(refused)}


async def unit_description(call: Call, id: str) -> dict[str, Json]:
    request = control_unit_pb2.GetControlUnitRequest(name=unit_name(id))
    unit = await call.ask("ControlUnits.GetControlUnit", request)
    return description(unit, (await configurations(call, [id]))[id])


def description(unit: Any, configuration: Any) -> dict[str, Json]:
    return {
        "ndk_uid": id_of(unit.name),
        "ndk_type": UNIT,
        "ndk_parent": id_of(unit.unit_server),
        "instance_description": instance(unit, configuration),
        "cudk_ds_init": attributes_of(configuration),
    }


def instance(unit: Any, configuration: Any) -> dict[str, Json]:
    """A unit as an entry of a file has it: what holds for it, wherever that is declared."""
    parameters = configuration.parameters
    found: dict[str, Json] = {
        "ndk_uid": id_of(unit.name),
        "ndk_type": UNIT,
        "ndk_parent": id_of(unit.unit_server),
        "control_unit_implementation": configuration.implementation,
        "cudk_desc": unit.description,
        **{flag: unit.desired_state in states for flag, states in FLAGS.items()},
        **{name: parameters[own] for own, name in PARAMETERS.items() if own in parameters},
        "attribute_value_descriptions": [
            {"cudk_ds_attr_name": each.name} | facets
            for each in configuration.attributes
            if each.direction != dataset_pb2.DIRECTION_OUTPUT and (facets := facets_of(each))
        ],
        "cudk_driver_description": [driver(each) for each in configuration.drivers],
    }
    return kept_properties(unit) | found


def kept_properties(resource: Any) -> dict[str, Json]:
    """What a file had and the model has no place for."""
    return {name: document(text) for name, text in resource.properties.items()}


def attributes_of(configuration: Any) -> dict[str, Json]:
    """The dataset in effect, by name of the attribute."""
    return {
        each.name: {
            "cudk_ds_attr_name": each.name,
            "cudk_ds_attr_desc": each.description,
            "cudk_ds_attr_type": TYPES.get(each.type, 4),
            "cudk_ds_attr_dir": DIRECTIONS.get(each.direction, 0),
            **({"cudk_ds_max_size": each.maximum_size_bytes} if each.maximum_size_bytes else {}),
            **facets_of(each),
        }
        for each in configuration.attributes
    }


def facets_of(attribute: Any) -> dict[str, str]:
    return {
        name: getattr(attribute, facet)
        for facet, name in FACETS.items()
        if attribute.HasField(facet)
    }


def driver(each: Any) -> dict[str, Json]:
    properties = [{"name": name, "value": each.properties[name]} for name in each.properties]
    return {
        "cudk_driver_description_name": each.name,
        "cudk_driver_description_version": each.version,
        "cudk_driver_description_init_parameter": each.init_parameter,
        **({"cudk_driver_prop": properties} if properties else {}),
    }


def server_name(id: str) -> str:
    return Kind.UNIT_SERVER.name_of(id)


async def server_description(call: Call, id: str) -> dict[str, Json]:
    request = unit_server_pb2.GetUnitServerRequest(name=server_name(id))
    server = await call.ask("UnitServers.GetUnitServer", request)
    return kept_properties(server) | {
        "ndk_uid": id,
        "ndk_type": UNIT_SERVER,
        "ndk_desc": server.description,
        "ndk_parent": id_of(server.launch.agent),
    }


async def agent_description(call: Call, id: str) -> dict[str, Json]:
    name = Kind.AGENT.name_of(id)
    agent = await call.ask("Agents.GetAgent", agent_pb2.GetAgentRequest(name=name))
    request = unit_server_pb2.ListUnitServersRequest(agent=name)
    launched = [
        association(each)
        async for each in call.listed("UnitServers.ListUnitServers", request, "unit_servers")
    ]
    return kept_properties(agent) | {
        "ndk_uid": id,
        "ndk_type": AGENT,
        "ndk_desc": agent.description,
        "ndk_host_name": agent.host,
        "andk_working_directory": agent.working_directory,
        "andk_node_associated": launched,
    }


def association(server: Any) -> dict[str, Json]:
    """How an agent launches a unit server."""
    launch = server.launch
    return {
        "ndk_uid": id_of(server.name),
        "node_launch_cmd_line": launch.command,
        "node_init_cfg": launch.configuration,
        "node_workdir": launch.working_directory,
        "node_auto_start": launch.auto_start,
        "node_keep_alive": launch.keep_alive,
        "node_log_on_console": launch.log_on_console,
    }


UNIT_AT, SERVER_AT = "GET /v1/control_units/{id}", "GET /v1/unit_servers/{id}"
COMMANDS = (
    Command(
        cmd="desc",
        of_units=True,
        here=f"{UNIT_AT} and {UNIT_AT}:configuration",
        note="`attribute_value_descriptions` is what holds, of template and overrides; the dataset in "
        "effect is `cudk_ds_init`",
        run=describe,
    ),
    Command(
        cmd="node",
        what="desc",
        here=f"{UNIT_AT}, {SERVER_AT} or GET /v1/agents/{{id}}",
        note="`type` may be left out: units are looked for first, then unit servers, then agents",
        run=describe_nodes,
    ),
    Command(cmd="node", what="get", type="cu", here=UNIT_AT, run=get_units),
    Command(
        cmd="node",
        what="get",
        type="us",
        here=f"{SERVER_AT} and GET /v1/control_units?unitServer=…",
        run=get_servers,
    ),
    Command(cmd="node", what="parent", type="us", here=f"{SERVER_AT}: `launch`", run=parents),
    Command(
        cmd="node",
        what="info",
        type="agent",
        here="GET /v1/agents/{id} and GET /v1/unit_servers?agent=…",
        run=describe_agents,
    ),
    Command(
        cmd="node",
        what="get",
        type="agent",
        here=f"{SERVER_AT}: `launch`",
        run=get_association,
    ),
)
