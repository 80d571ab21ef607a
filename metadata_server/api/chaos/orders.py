"""Orders to units and unit servers, and edits of their declarations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mds.v1 import control_unit_pb2, edit_pb2, operation_pb2, unit_server_pb2

from metadata_server.api.chaos.call import Call, Run
from metadata_server.api.chaos.command import Command, elsewhere
from metadata_server.api.chaos.descriptions import server_name
from metadata_server.api.chaos.parm import Parm, json_of, wrong
from metadata_server.api.chaos.reading import (
    as_asked,
    devices_of,
    names_of,
    selection_of,
    unit_name,
)
from metadata_server.api.chaos.values import text_of
from metadata_server.api.chaos.words import PARAMETERS
from metadata_server.api.rest.encoding import Json
from metadata_server.domain.refused import Refused, WrongField

VERBS = {
    word: operation_pb2.OrderVerb.Value(f"ORDER_VERB_{word.upper()}")
    for word in ("load", "init", "start", "stop", "deinit", "unload", "recover")
}
ANYWAY = "*"
"""The etag of whoever has read nothing: what is there is changed, whatever it is."""


def ordered(id: str, operation: str) -> dict[str, Json]:
    """What clients are told of a unit that something was ordered to."""
    return {"ndk_uid": id, "dev_status": "", "log_status": operation, "error_status": ""}


async def give(call: Call, operation: operation_pb2.Operation) -> str:
    """The name of the operation that an order came to; it goes on after the answer."""
    request = operation_pb2.CreateOperationRequest(operation=operation, all_or_none=True)
    made = await call.ask("Operations.CreateOperation", request)
    return f"ordered: {made.name}"


async def order(call: Call, word: str, ids: Sequence[str]) -> list[Json]:
    operation = operation_pb2.Operation(verb=VERBS[word], selection=selection_of(ids))
    told = await give(call, operation)
    return [ordered(id, told) for id in ids]


def order_units(word: str) -> Run:
    async def run(call: Call) -> Json:
        return await order(call, word, devices_of(call))

    return run


def order_nodes(word: str) -> Run:
    async def run(call: Call) -> Json:
        return as_asked(call, await order(call, word, names_of(call)))

    return run


def order_servers(verb: str) -> Run:
    async def run(call: Call) -> Json:
        answers: list[Json] = []
        for id in names_of(call):
            request = getattr(unit_server_pb2, f"{verb}UnitServerRequest")(name=server_name(id))
            await call.ask(f"UnitServers.{verb}UnitServer", request)
            answers.append({})
        return as_asked(call, answers)

    return run


async def edit(call: Call, ids: Iterable[str], edits: Iterable[edit_pb2.FieldEdit]) -> None:
    """Edits units: all of them, or none.

    Raises:
        Refused: with everything that they cannot take.
    """
    request = edit_pb2.EditControlUnitsRequest(selection=selection_of(ids), edits=edits)
    faults: list[WrongField] = []
    async for message in call.stream("Edits.EditControlUnits", request):
        faults += map(fault_of, message.problems)
    if faults:
        raise Refused.wrong_fields(faults)


def fault_of(problem: Any) -> WrongField:
    field = problem.field or "dev"
    return WrongField(field, problem.value, problem.expected, problem.reason, problem.name)


async def set_attributes(call: Call) -> Json:
    """New defaults of inputs, for as long as they are declared."""
    values = Parm.of(call.form.parm).members
    if not values:
        raise wrong("", call.form.parm, "a JSON object of attributes and values")
    edits = [
        edit_pb2.FieldEdit(path=f"overrides[{name}].default_value", value=text_of(value))
        for name, value in values.items()
    ]
    ids = devices_of(call)
    await edit(call, ids, edits)
    return [ordered(id, f"declared: {', '.join(values)}") for id in ids]


async def set_schedule(call: Call) -> Json:
    """The period of their cycles, in us."""
    value = json_of(call.form.parm)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong("", call.form.parm, "a whole number of microseconds, from 0")
    ids = devices_of(call)
    await edit(call, ids, [parameter("schedule_delay", value)])
    return [ordered(id, "declared: schedule_delay") for id in ids]


def parameter(name: str, value: Json) -> edit_pb2.FieldEdit:
    return edit_pb2.FieldEdit(path=f"parameters[{name}]", value=text_of(value))


async def set_properties(call: Call) -> Json:
    """Settings of units, as a list of objects."""
    value = call.parm.object("value")
    listed = value.get("properties")
    if not isinstance(listed, list):
        raise (
            no_instances()
            if "properties" not in value
            else wrong("value.properties", listed, "a list of JSON objects")
        )
    ours = {name: own for own, name in PARAMETERS.items()}
    edits = []
    for each in listed:
        if not isinstance(each, dict):
            raise wrong("value.properties", each, "a list of JSON objects")
        for name, setting in each.items():
            if name not in ours:
                known = ", ".join(ours)
                message = f"The property {name[:80]!r} is not here; those that are: {known}."
                raise Refused.invalid("NO_COUNTERPART", message)
            edits.append(parameter(ours[name], setting))
    names = names_of(call)
    await edit(call, names, edits)
    return as_asked(call, [{} for _ in names])


def no_instances() -> Refused:
    message = f"Whole descriptions of units are not taken here; use {WHOLE}."
    return Refused.invalid("NO_COUNTERPART", message)


async def delete_units(call: Call) -> Json:
    answers: list[Json] = []
    for id in names_of(call):
        request = control_unit_pb2.DeleteControlUnitRequest(name=unit_name(id), etag=ANYWAY)
        await call.ask("ControlUnits.DeleteControlUnit", request)
        answers.append({})
    return as_asked(call, answers)


async def create_servers(call: Call) -> Json:
    answers: list[Json] = []
    for id in names_of(call):
        server = unit_server_pb2.UnitServer(name=server_name(id))
        request = unit_server_pb2.CreateUnitServerRequest(unit_server=server)
        await call.ask("UnitServers.CreateUnitServer", request)
        answers.append({})
    return as_asked(call, answers)


async def delete_servers(call: Call) -> Json:
    answers: list[Json] = []
    for id in names_of(call):
        request = unit_server_pb2.DeleteUnitServerRequest(name=server_name(id), etag=ANYWAY)
        await call.ask("UnitServers.DeleteUnitServer", request)
        answers.append({})
    return as_asked(call, answers)


OPERATIONS = "POST /v1/operations"
EDITS = "POST /v1/control_units:edit"
WHOLE = "`mds import`, `mds apply` or PATCH /v1/control_units/{id}"
SERVERS = "/v1/unit_servers"
GOES_ON = "answered when it is ordered; the operation goes on, and `log_status` names it"
ONE_BY_ONE = "several names are several changes, one after the other"
COMMANDS = (
    *(
        Command(
            cmd=word,
            of_units=True,
            mutates=True,
            here=OPERATIONS,
            note=GOES_ON,
            run=order_units(word),
        )
        for word in VERBS
    ),
    Command(
        cmd="attr",
        of_units=True,
        mutates=True,
        here=f"{EDITS}: `overrides[…].default_value`",
        note="declared, and so kept for the next start as well; running units take it over",
        run=set_attributes,
    ),
    Command(
        cmd="sched",
        of_units=True,
        mutates=True,
        here=f"{EDITS}: `parameters[schedule_delay]`",
        run=set_schedule,
    ),
    *(
        Command(
            cmd="node",
            what=word,
            type="cu",
            mutates=True,
            here=OPERATIONS,
            note=GOES_ON,
            run=order_nodes(word),
        )
        for word in VERBS
    ),
    Command(
        cmd="node",
        what="set",
        type="cu",
        mutates=True,
        here=f"{EDITS}: `parameters[…]`",
        note="only `properties`; whole descriptions are refused",
        run=set_properties,
    ),
    Command(
        cmd="node",
        what="del",
        type="cu",
        mutates=True,
        here="DELETE /v1/control_units/{id}",
        note=ONE_BY_ONE,
        run=delete_units,
    ),
    *(
        Command(
            cmd="node",
            what=word,
            type="us",
            mutates=True,
            here=f"POST {SERVERS}/{{id}}:{word}",
            note=ONE_BY_ONE,
            run=order_servers(word.capitalize()),
        )
        for word in ("start", "stop", "restart")
    ),
    Command(
        cmd="node",
        what="create",
        type="us",
        mutates=True,
        here=f"POST {SERVERS}",
        note=ONE_BY_ONE,
        run=create_servers,
    ),
    Command(
        cmd="node",
        what="del",
        type="us",
        mutates=True,
        here=f"DELETE {SERVERS}/{{id}}",
        note=ONE_BY_ONE,
        run=delete_servers,
    ),
    *elsewhere("node", "set", "`mds import` or `mds apply`", type="us"),
    *elsewhere("node", "kill", f"POST {SERVERS}/{{id}}:stop", type="us"),
    *elsewhere("node", "set del", f"PATCH {SERVERS}/{{id}}: `launch`", type="agent"),
    *elsewhere("node", "list", "node get info of an agent, or GET /v1/agents/{id}", type="agent"),
    *elsewhere("node", "check", "GET /v1/agents/{id}:status", type="agent"),
    *elsewhere("node", "getlog enablelog disablelog", f"GET {SERVERS}/{{id}}:log", type="agent"),
    *elsewhere(
        "node", "clrcmdq killcmd", "the unit itself: commands are not queued here", type="cu"
    ),
    *elsewhere("node", "command cache deletenode", "a command of its own for what is meant"),
)
