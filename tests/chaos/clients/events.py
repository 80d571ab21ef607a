"""Events of a watch, with no more of each resource than the checker looks at."""

import json

from mds.v1.kind_pb2 import Kind
from mds.v1.watch_pb2 import Event, EventAction

from tests.watch.records import Told


def told(event: Event) -> Told:
    """An event; the content of a variable is its etag and value, of a status its session."""
    return Told(
        revision=event.revision,
        time=event.time.ToJsonString(),
        kind=Kind.Name(event.kind),
        name=event.name,
        action=EventAction.Name(event.action).removeprefix("EVENT_ACTION_"),
        former_name=event.former_name,
        content=_content(event),
    )


def _content(event: Event) -> str:
    match event.WhichOneof("resource"):
        case "variable":
            variable = event.variable
            return json.dumps({"etag": variable.etag, "value": variable.description})
        case "control_unit_status":
            return json.dumps({"session": event.control_unit_status.session})
    return ""
