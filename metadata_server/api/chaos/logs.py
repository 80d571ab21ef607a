"""What was changed, as entries of a log: this server keeps no other log of units."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mds.v1 import history_pb2, kind_pb2

from metadata_server.api.chaos.call import Call
from metadata_server.api.chaos.command import Command, elsewhere
from metadata_server.api.chaos.parm import wrong
from metadata_server.api.chaos.reading import id_of, unit_name
from metadata_server.api.rest.encoding import Json

PAGE_SIZE, LARGEST_PAGE = 100, 1000
TYPES = ("all", "command", "log", "Info", "info", "warning", "error")
WITH_CHANGES = ("all", "command", "log")
LATEST_MS = 253_402_300_799_000
"""The end of the year 9999, beyond which there are no times."""


async def search(call: Call) -> Json:
    type_ = call.parm.text("type") or "all"
    if type_ not in TYPES:
        raise wrong("type", type_, f"one of {', '.join(TYPES)}")
    if type_ not in WITH_CHANGES:
        return {"result_list": []}
    request = history_pb2.ListChangesRequest(
        page_size=min(call.parm.number("page") or PAGE_SIZE, LARGEST_PAGE),
        since=moment(call, "start"),
        until=moment(call, "end"),
    )
    names = call.parm.texts("names") or [call.parm.text("name")]
    found: list[dict[str, Json]] = []
    for name in names:
        asked = history_pb2.ListChangesRequest()
        asked.CopyFrom(request)
        if name:
            asked.name = unit_name(name)
        else:
            asked.kinds.append(kind_pb2.KIND_CONTROL_UNIT)
        page = await call.ask("History.ListChanges", asked)
        found += map(entry, page.changes)
    return {"result_list": sorted(found, key=lambda each: each["mdsndk_nl_lts"], reverse=True)}


def moment(call: Call, field: str) -> str:
    """A time in ms since 1970, as the protocol writes moments; empty: none."""
    value = call.parm.members.get(field)
    if value in (None, 0, -1):
        return ""
    milliseconds = call.parm.number(field) or 0
    if milliseconds >= LATEST_MS:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat().replace("+00:00", "Z")


def entry(change: Any) -> dict[str, Json]:
    made = change.change_set
    fields = ", ".join(each.path for each in change.differences)
    action = history_pb2.ChangeAction.Name(change.action).removeprefix("CHANGE_ACTION_").lower()
    text = f"{action} by {made.author}" + (f": {made.reason}" if made.reason else "")
    return {
        "mdsndk_nl_lts": made.time.ToMilliseconds(),
        "mdsndk_nl_sid": id_of(change.name),
        "mdsndk_nl_ld": "command",
        "mdsndk_nl_e_ed": made.author,
        "mdsndk_nl_e_em": f"{text} ({fields})" if fields else text,
    }


COMMANDS = (
    Command(
        cmd="log",
        what="search",
        here="GET /v1/changes",
        note="what was declared of units, newest first; the newest page",
        run=search,
    ),
    *elsewhere("log", "delete", "MDS_HISTORY_DAYS of the server"),
)
