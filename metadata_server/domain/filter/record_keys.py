"""Keys of what the server itself keeps a record of: operations and their steps, changes, lives,
sightings, deliveries."""

from __future__ import annotations

from metadata_server.domain.change import Action
from metadata_server.domain.deliveries.delivery import DeliveryState, DeliveryType
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
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import State
from metadata_server.domain.names import DECLARED
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Minor, Phase
from metadata_server.domain.orchestration.operation_step import StepMinor
from metadata_server.domain.orchestration.order_plan import Verb


def of_session(name: str) -> Reader:
    """A field of the session of a life."""
    return lambda life: (getattr(life.session, name),)


def of_set(name: str) -> Reader:
    """A field of a change set, or of that of a change."""
    return lambda subject: (getattr(change_set_of(subject), name),)


OPERATION_KEYS = (
    text("id", "the id", "id:2026*", field("id"), is_indexed=True, is_sortable=True),
    word("phase", "where it stands", "phase=EXECUTING,HELD", Phase, field("phase"), is_sortable=True),
    word("minor_state", "where in that", "minor_state=Paused", Minor, field("minor_state"), is_sortable=True),
    word("verb", "what it orders", "verb=START", Verb, lambda o: (o.order.verb,), is_sortable=True),
    text("author", "who ordered it", "author=anna", field("author"), is_sortable=True),
    text("reason", "why", "reason:shutdown", field("reason")),
    text("message", "what has become of it", "message:timeout", field("message")),
    time("created", "when it was ordered", "created<1d", moment("create_time_us"), is_indexed=True, is_sortable=True),
    time("started", "when it began", "started<1h", moment("start_time_us"), is_sortable=True),
    time("ended", "when it ended", "ended<1h", moment("end_time_us"), is_sortable=True),
    time("changed", "when it was last heard of", "changed<10m", moment("update_time_us"), is_sortable=True),
)  # fmt: skip

CHANGE_SET_KEYS = (
    number("revision", "its revision", "revision>1200", of_set("revision"), is_indexed=True, is_sortable=True),
    time("time", "when", "time<2h", lambda s: moment("time_us")(change_set_of(s)), is_indexed=True, is_sortable=True),
    text("author", "who", "author=anna", of_set("author")),
    flag("authenticated", "the author has shown who they are", "-authenticated", of_set("authenticated")),
    text("reason", "why", "reason:shutdown", of_set("reason")),
    text("method", "of the protocol", "method:*.Update*", of_set("method")),
    text("client", "the program that they used", "client:mds/*", of_set("client")),
    text("request", "id of the request", "request=night-shift-17", of_set("request_id")),
)  # fmt: skip

CHANGE_KEYS = (
    *CHANGE_SET_KEYS,
    word("kind", "what was changed", "kind=control_unit", DECLARED, field("kind")),
    word("action", "what was done to it", "action=DELETED", Action, field("action")),
)

SIGHTING_KEYS = (
    text("unit_server", "id, as it named itself", "unit_server:BTF/*", field("unit_server"), is_indexed=True, is_sortable=True),
    text("host", "where it runs", "host:node*", field("host")),
    text("address", "where it answers", "address:192.168.*", field("address")),
    number("pid", "of the process", "pid=4711", field("pid")),
    text("class", "that it can build", "class:PowerSupply*", many("classes"), is_many=True),
    time("first", "when it first came", "first>2026-11-01", moment("first_time_us"), is_sortable=True),
    time("last", "when it last came", "last<1h", moment("last_time_us"), is_indexed=True, is_sortable=True),
    number("count", "how many times it came", "count>10", field("count"), is_sortable=True),
)  # fmt: skip

STEP_KEYS = (
    text("control_unit", "id of the unit, as it was when the operation was planned", "control_unit:DAFNE/PL/*", field("id"), is_sortable=True),
    number("position", "its place in the operation", "position<100", field("position"), is_sortable=True),
    word("state", "where it stands", "state=ERROR,PENDING", StepState, field("state"), is_indexed=True),
    word("minor_state", "where in that", "minor_state=TimedOut", StepMinor, field("minor_state")),
    text("message", "what has become of it", "message:timeout", field("message")),
    flag("way_back", "it takes another step back", "-way_back", field("is_way_back")),
    word("target", "state that the unit shall come to; UNSPECIFIED: none in particular", "target=RUNNING", State, field("target")),
    number("level", "of the unit in the order of the operation", "level>=2", field("level")),
    number("wave", "in which it has its turn; -1: nothing is ordered to the unit", "wave>=0", field("wave")),
    text("unit_server", "id of that of the unit", "unit_server:BTF/*", field("unit_server")),
    word("found", "state that the unit had reported when the operation was planned", "found=STOPPED", State, field("found")),
    number("attempts", "how many times it was tried", "attempts>1", field("attempts"), is_sortable=True),
    time("started", "when it last began", "started<10m", moment("start_time_us"), is_sortable=True),
    time("ended", "when it ended", "ended<10m", moment("end_time_us"), is_sortable=True),
    number("revision", "of its last change; 0: it has not begun", "revision>1200", field("revision"), is_sortable=True),
)  # fmt: skip

INSTANTIATION_KEYS = (
    text("control_unit", "id that the unit has today, or had last", "control_unit:DAFNE/PL/*", field("control_unit")),
    text("unit_server", "id of the unit server, likewise", "unit_server:BTF/*", of_session("unit_server")),
    text("template", "id of its template, likewise", "template:PowerSupply*", field("template")),
    number("template_version", "version of that", "template_version>1", field("template_version")),
    text("session", "the run of the unit server that it was part of", "session:3f*", of_session("id")),
    text("host", "where it ran", "host:node*", of_session("host")),
    text("address", "where its unit server answered", "address:192.168.*", of_session("address")),
    number("pid", "of the process", "pid=4711", of_session("pid")),
    text("version", "of the program", "version=2.1", of_session("version")),
    time("begin", "when it began", "begin<1d", moment("begin_time_us"), is_sortable=True),
    time("end", "when it ended", "end<1h", moment("end_time_us"), is_sortable=True),
    word("end_reason", "why it ended; of one that goes on there is none", "end_reason=LEASE_ENDED", EndReason, lambda life: () if life.end_reason is None else (life.end_reason,)),
    flag("over", "it has ended", "-over", lambda life: (life.end_time_us is not None,)),
)  # fmt: skip

DELIVERY_KEYS = (
    text("id", "the id, as the receiver gets it", "id:msg_*", field("id")),
    number("number", "counts the deliveries of a webhook", "number>100", field("number"), is_indexed=True, is_sortable=True),
    word("type", "what was delivered", "type=CHANGES", DeliveryType, field("type")),
    word("state", "how it stands", "state=FAILED", DeliveryState, field("state")),
    number("events", "how many it has", "events>0", field("events"), is_sortable=True),
    time("created", "when it was made", "created<1d", moment("create_time_us"), is_sortable=True),
    time("attempted", "when it was last tried", "attempted<1h", moment("attempt_time_us"), is_sortable=True),
    number("attempts", "how many times it was tried", "attempts>1", field("attempts"), is_sortable=True),
    number("status", "HTTP status of the last answer; 0: there was none", "status>=500", field("http_status"), is_sortable=True),
    number("duration_us", "how long the last try took, in microseconds", "duration_us>1e6", field("duration_us"), is_sortable=True),
    text("error", "what went wrong", "error:refused", field("error")),
    text("replica", "the one that last tried", "replica:mds-2*", field("replica")),
    text("redelivery_of", "id of what it sends once more", "redelivery_of:msg_*", field("redelivery_of")),
)  # fmt: skip
