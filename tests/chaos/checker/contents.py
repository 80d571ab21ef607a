"""What resources of probes were at each of their revisions."""

import json
from collections import defaultdict
from typing import NamedTuple

from tests.chaos.final_state import FinalState


class Content(NamedTuple):
    etag: str
    value: str


def contents_of(final: FinalState) -> defaultdict[str, dict[int, Content]]:
    """By name, by revision."""
    found = defaultdict[str, dict[int, Content]](dict)
    for event in final.told:
        if event.kind == "KIND_VARIABLE" and event.content:
            plain = json.loads(event.content)
            found[event.name][event.revision] = Content(plain["etag"], plain["value"])
    return found


def sessions_of(final: FinalState) -> defaultdict[str, list[tuple[int, str]]]:
    """Sessions that reported a unit, by the unit's name, each with its revision."""
    found = defaultdict[str, list[tuple[int, str]]](list)
    for event in final.told:
        if event.kind == "KIND_CONTROL_UNIT_STATUS" and event.content:
            unit = event.name.replace("control_unit_statuses/", "control_units/", 1)
            found[unit].append((event.revision, json.loads(event.content)["session"]))
    return found
