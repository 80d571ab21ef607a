"""Keys of what the server works out when it is asked: statuses, sums, versions, values."""

from __future__ import annotations

from dataclasses import replace

from metadata_server.domain.deliveries.delivery import Course, WebhookState, WebhookStatus
from metadata_server.domain.filter.common_keys import (
    Reader,
    contact,
    field,
    flag,
    known,
    moment,
    number,
    text,
    time,
    word,
)
from metadata_server.domain.filter.facility_keys import OWN_KEYS
from metadata_server.domain.filter.key import Facts, FilterKey
from metadata_server.domain.intent.template import VersionUse
from metadata_server.domain.life.agent_report import AgentStatus, ProcessState
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind


def of_course(name: str) -> Reader:
    """A field of how far a webhook is, which nobody knows of one that has not begun."""

    def read(status: WebhookStatus) -> Facts:
        course: Course | None = status.course
        return () if course is None else known(getattr(course, name))

    return read


def of_processes(name: str) -> Reader:
    """A field of the processes of an agent."""

    def read(status: AgentStatus) -> Facts:
        return [getattr(each, name) for each in status.processes]

    return read


def of_version(key: FilterKey) -> FilterKey:
    """A key of templates, of one version."""

    def read(use: VersionUse) -> Facts:
        return key.of(use.version)

    return replace(key, of=read, is_indexed=False, is_sortable=key.name == "version")


AGENT_STATUS_KEYS = (
    text("agent", "id of the agent", "agent:host-*", field("agent"), is_sortable=True),
    contact("contact of the agent; NONE: it never came, or said good-bye", is_sortable=True),
    text("host", "where it runs", "host:node*", field("host"), is_sortable=True),
    number("pid", "of the process", "pid=4711", field("pid")),
    text("version", "of the program", "version=2.1", field("version"), is_sortable=True),
    time("started", "when it came to be", "started<1h", moment("start_time_us"), is_sortable=True),
    time("reported", "when it last gave word", "reported<10s", moment("report_time_us"), is_sortable=True),
    number("processes", "how many unit servers it tells of", "processes>10", lambda s: (len(s.processes),), is_sortable=True),
    text("unit_server", "ids of these", "unit_server=BTF/CORRECTORS", of_processes("unit_server"), is_many=True),
    word("process_state", "where the process of one of them is", "process_state=GAVE_UP,BACKING_OFF", ProcessState, of_processes("state"), is_many=True),
    text("process_message", "why, of one of them", 'process_message:"*not found*"', of_processes("message"), is_many=True),
    number("restarts", "how many times one of them was launched again", "restarts>3", of_processes("restarts"), is_many=True),
    number("memory_bytes", "what one of them needs", "memory_bytes>1e9", of_processes("memory_bytes"), is_many=True),
)  # fmt: skip

CAMPAIGN_SUMS_KEYS = (
    text("campaign", "id of the campaign", "campaign:2026*", field("campaign"), is_sortable=True),
    *(
        number(name, meaning, f"{name}>0", field(name), is_sortable=True)
        for name, meaning in (
            ("operations", "how many operations were given for it"),
            ("requested", "for how many units"),
            ("reached", "how many of these are there"),
            ("failed", "how many have failed"),
            ("retried", "how many took more than one try"),
            ("under_way", "how many are under way"),
            ("left_out", "how many were left out"),
        )
    ),
)  # fmt: skip

VERSION_KEYS = (
    text("description", "what it is, for people", "description:fast", lambda use: (use.version.description,)),
    *(of_version(key) for key in OWN_KEYS[Kind.TEMPLATE]),
    number("units", "how many control units stand on it", "units=0", field("units"), is_sortable=True),
)  # fmt: skip

LIVE_VALUE_KEYS = (
    text("control_unit", "id of the unit", "control_unit:DAFNE/PL/*", field("control_unit"), is_sortable=True),
    word("state", "what it last reported to be", "state=RUNNING", State, field("state"), is_sortable=True),
    contact("contact of the session that reported the values", is_sortable=True),
    flag("reported", "it has reported values", "-reported", lambda unit: (unit.values is not None,)),
    text("value", "attributes that have one; `value.NAME` is what one is set to, as text", "value.current=12.5", lambda unit: {each.attribute: each.value for each in unit.values or ()}, is_many=True, has_names=True),
    time("set", "when one of them was set", "set<10m", lambda unit: [each.time_us for each in unit.values or ()], is_many=True),
)  # fmt: skip

WEBHOOK_STATUS_KEYS = (
    text("webhook", "id of the webhook", "webhook:shift-*", field("id"), is_sortable=True),
    word("state", "how it stands", "state=FAILING", WebhookState, field("state"), is_sortable=True),
    time("delivered", "when it last delivered something", "delivered<1h", of_course("delivery_time_us"), is_sortable=True),
    time("failing_since", "since when it fails", "failing_since>1h", of_course("failing_since_us"), is_sortable=True),
    time("next_try", "when it is tried again, where it fails", "next_try>2026-11-01", of_course("next_time_us"), is_sortable=True),
    number("attempts", "how many times the present delivery was tried", "attempts>3", of_course("attempts"), is_sortable=True),
    number("status", "HTTP status of the last answer", "status>=500", of_course("http_status"), is_sortable=True),
    text("error", "what went wrong", "error:refused", of_course("error")),
    text("replica", "the one that delivers", "replica:mds-2*", of_course("replica"), is_sortable=True),
    flag("gap", "it has missed something that was not kept long enough", "gap", lambda status: (status.course is not None and status.course.gap is not None,)),
    flag("secret", "its deliveries are signed", "-secret", lambda status: (bool(status.secrets),)),
)  # fmt: skip
