"""Variables: JSON documents under a name."""

from __future__ import annotations

import json

from mds.v1 import variable_pb2

from metadata_server.api.chaos.call import Call
from metadata_server.api.chaos.command import Command
from metadata_server.api.chaos.orders import ANYWAY
from metadata_server.api.chaos.parm import json_of, wrong
from metadata_server.api.chaos.values import document
from metadata_server.api.rest.encoding import Json
from metadata_server.domain.names import Kind


def name_of(call: Call) -> str:
    return Kind.VARIABLE.name_of(call.parm.needed("name"))


async def get(call: Call) -> Json:
    request = variable_pb2.GetVariableRequest(name=name_of(call))
    return document((await call.ask("Variables.GetVariable", request)).value)


async def set_(call: Call) -> Json:
    value = call.parm.members.get("value")
    if isinstance(value, str):
        value = json_of(value)
    if value is None:
        raise wrong("value", "", "JSON")
    text = json.dumps(value, ensure_ascii=False)
    variable = variable_pb2.Variable(name=name_of(call), value=text)
    create = variable_pb2.CreateVariableRequest(variable=variable)
    variable.etag = ANYWAY
    update = variable_pb2.UpdateVariableRequest(variable=variable)
    update.update_mask.paths.append("value")
    await call.save(
        create=("Variables.CreateVariable", create), change=("Variables.UpdateVariable", update)
    )
    return value


async def delete(call: Call) -> Json:
    request = variable_pb2.DeleteVariableRequest(name=name_of(call), etag=ANYWAY)
    await call.ask("Variables.DeleteVariable", request)
    return {}


AT = "/v1/variables/{id}"
COMMANDS = (
    Command(
        cmd="variable",
        what="get",
        here=f"GET {AT}",
        note="one that is not there is 404, not {}",
        run=get,
    ),
    Command(
        cmd="variable",
        what="set",
        mutates=True,
        here=f"POST /v1/variables or PATCH {AT}",
        run=set_,
    ),
    Command(cmd="variable", what="del", mutates=True, here=f"DELETE {AT}", run=delete),
)
