"""Scripts, whose text travels in base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from mds.v1 import script_pb2

from metadata_server.api.chaos.call import Asked, Call
from metadata_server.api.chaos.command import Command, elsewhere
from metadata_server.api.chaos.orders import ANYWAY
from metadata_server.api.chaos.parm import Parm, wrong
from metadata_server.api.chaos.reading import id_of
from metadata_server.api.chaos.values import document
from metadata_server.api.rest.encoding import Json
from metadata_server.domain.names import Kind

FIELDS = {
    "description": "script_description",
    "language": "eudk_script_language",
    "default_argument": "default_argument",
    "group": "script_group",
    "target": "script_target",
}
CONTENT, KEEP_ALIVE, NUMBER = "eudk_script_content", "eudk_script_keepalive", "seq"


def summary(script: Any) -> dict[str, Json]:
    """A script without its text."""
    number = document(script.properties.get(NUMBER, "0"))
    return {
        "script_name": id_of(script.name),
        NUMBER: int(number) if str(number).isdecimal() else 0,
        **{name: getattr(script, own) for own, name in FIELDS.items()},
        KEEP_ALIVE: script.keep_alive,
    }


async def load(call: Call) -> Json:
    request = script_pb2.GetScriptRequest(name=name_of(Parm(call.parm.object("value"))))
    script = await call.ask("Scripts.GetScript", request)
    return summary(script) | {CONTENT: base64.b64encode(script.content.encode()).decode()}


async def save(call: Call) -> Json:
    """Makes a script, or changes what of it is said."""
    value = Parm(call.parm.object("value"))
    script = script_pb2.Script(name=name_of(value))
    said = [own for own, name in FIELDS.items() if name in value.members]
    for own in said:
        setattr(script, own, value.text(FIELDS[own]))
    if KEEP_ALIVE in value.members:
        script.keep_alive = value.flag(KEEP_ALIVE, default=False)
        said.append("keep_alive")
    if CONTENT in value.members:
        script.content = content_of(value.text(CONTENT))
        said.append("content")
    await call.save(create=creation(script, value.number(NUMBER)), change=change(script, said))
    return {}


def creation(script: Any, number: int | None) -> Asked:
    request = script_pb2.CreateScriptRequest(script=script)
    if number is not None:
        request.script.properties[NUMBER] = json.dumps(number)
    return "Scripts.CreateScript", request


def change(script: Any, said: Sequence[str]) -> Asked:
    """
    Args:
        said: the fields that it is about; none: it is only looked for.
    """
    if not said:
        return "Scripts.GetScript", script_pb2.GetScriptRequest(name=script.name)
    request = script_pb2.UpdateScriptRequest(script=script)
    request.script.etag = ANYWAY
    request.update_mask.paths.extend(said)
    return "Scripts.UpdateScript", request


async def delete(call: Call) -> Json:
    name = name_of(Parm(call.parm.object("value")))
    request = script_pb2.DeleteScriptRequest(name=name, etag=ANYWAY)
    await call.ask("Scripts.DeleteScript", request)
    return {}


def name_of(value: Parm) -> str:
    id = value.text("script_name")
    if not id:
        raise wrong("value.script_name", "", "the name of a script")
    return Kind.SCRIPT.name_of(id)


def content_of(encoded: str) -> str:
    try:
        return base64.b64decode("".join(encoded.split()), validate=True).decode()
    except ValueError:
        raise wrong(f"value.{CONTENT}", encoded, "base64 of a text in UTF-8") from None


AT = "/v1/scripts/{id}"
COMMANDS = (
    Command(
        cmd="script",
        what="load",
        here=f"GET {AT}",
        note="`seq` is not looked at: a script is known by its name, older texts by ?asOf=",
        run=load,
    ),
    Command(
        cmd="script",
        what="save",
        mutates=True,
        here=f"POST /v1/scripts or PATCH {AT}",
        run=save,
    ),
    Command(cmd="script", what="del", mutates=True, here=f"DELETE {AT}", run=delete),
    *elsewhere("script", "newInstance rmInstance searchInstance", "/v1/execution_units"),
    *elsewhere("script", "bind update", "PATCH /v1/execution_units/{id}"),
)
