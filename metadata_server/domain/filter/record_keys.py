"""Keys of what the server itself keeps a record of: operations, changes, lives, sightings."""

from __future__ import annotations

from metadata_server.domain.change import Action
from metadata_server.domain.filter.common_keys import (
    Reader,
    field,
    flag,
    many,
    moment,
    number,
    text,
    time,
    word,
)
from metadata_server.domain.filter.subject import change_set_of
from metadata_server.domain.names import DECLARED
from metadata_server.domain.orchestration.operation import Minor, Phase
from metadata_server.domain.orchestration.order_plan import Verb


def of_set(name: str) -> Reader:
    """A field of a change set, or of that of a change."""
    return lambda subject: (getattr(change_set_of(subject), name),)


OPERATION_KEYS = (
    text("id", "the id", "id:2026*", field("id"), is_indexed=True),
    word("phase", "where it stands", "phase=EXECUTING,HELD", Phase, field("phase")),
    word("minor_state", "where in that", "minor_state=Paused", Minor, field("minor_state")),
    word("verb", "what it orders", "verb=START", Verb, lambda o: (o.order.verb,)),
    text("author", "who ordered it", "author=anna", field("author")),
    text("reason", "why", "reason:shutdown", field("reason")),
    text("message", "what has become of it", "message:timeout", field("message")),
    time("created", "when it was ordered", "created<1d", moment("create_time_us"), is_indexed=True),
    time("started", "when it began", "started<1h", moment("start_time_us")),
    time("ended", "when it ended", "ended<1h", moment("end_time_us")),
    time("changed", "when it was last heard of", "changed<10m", moment("update_time_us")),
)  # fmt: skip

CHANGE_SET_KEYS = (
    number("revision", "its revision", "revision>1200", of_set("revision"), is_indexed=True),
    time("time", "when", "time<2h", lambda s: moment("time_us")(change_set_of(s)), is_indexed=True),
    text("author", "who", "author=anna", of_set("author")),
    flag("authenticated", "the author has shown who they are", "-authenticated", of_set("authenticated")),
    text("reason", "why", "reason:shutdown", of_set("reason")),
    text("method", "of the protocol", "method:*.Update*", of_set("method")),
    text("client", "the program that they used", "client:mds/*", of_set("client")),
)  # fmt: skip

CHANGE_KEYS = (
    *CHANGE_SET_KEYS,
    word("kind", "what was changed", "kind=control_unit", DECLARED, field("kind")),
    word("action", "what was done to it", "action=DELETED", Action, field("action")),
)

SIGHTING_KEYS = (
    text("unit_server", "id, as it named itself", "unit_server:BTF/*", field("unit_server"), is_indexed=True),
    text("host", "where it runs", "host:node*", field("host")),
    text("address", "where it answers", "address:192.168.*", field("address")),
    number("pid", "of the process", "pid=4711", field("pid")),
    text("class", "that it can build", "class:PowerSupply*", many("classes"), is_many=True),
    time("first", "when it first came", "first>2026-11-01", moment("first_time_us")),
    time("last", "when it last came", "last<1h", moment("last_time_us"), is_indexed=True),
    number("count", "how many times it came", "count>10", field("count")),
)  # fmt: skip
