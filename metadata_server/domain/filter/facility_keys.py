"""Keys of the other kinds that people declare, and of what unit servers report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata_server.domain.filter.common_keys import (
    contact,
    field,
    flag,
    many,
    moment,
    number,
    text,
    time,
    word,
)
from metadata_server.domain.filter.key import Facts, FilterKey
from metadata_server.domain.intent.facility import Snapshot
from metadata_server.domain.intent.template import VersionState
from metadata_server.domain.intent.unit_server import LaunchOrder, UnitServer
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import DESIRABLE
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.guarded_change import GuardedChange

NOTHING: tuple[str, ...] = ()


def of_launch(name: str) -> Any:
    """A field of how a unit server is launched; of one that no agent launches there is none."""

    def read(server: UnitServer) -> Facts:
        return NOTHING if server.launch is None else (getattr(server.launch, name),)

    return read


def saved_units(snapshot: Snapshot) -> Facts:
    return [each.control_unit for each in snapshot.units]


UNITS_NAMED = (
    text(
        "control_unit",
        "ids of the control units that it names",
        "control_unit=DAFNE/PL/X",
        many("control_units"),
        is_many=True,
    ),
    text(
        "id_prefix",
        "beginnings of ids that it names",
        "id_prefix:DAFNE/",
        many("id_prefixes"),
        is_many=True,
    ),
)

UNIT_FILTER = text(
    "unit_filter",
    "the filter that its units pass",
    'unit_filter:"level>"',
    field("unit_filter"),
)

OWN_KEYS: Mapping[Kind, tuple[FilterKey, ...]] = {
    Kind.TEMPLATE: (
        number("version", "its newest version", "version>1", field("version"), is_sortable=True),
        word("version_state", "where that version stands", "version_state=DRAFT", VersionState, field("version_state"), is_sortable=True),
        text("implementation", "class as its code names it", "implementation:*PowerSupply", field("implementation"), is_sortable=True),
        text("group", "what it belongs to", "group=magnets", field("group"), is_sortable=True),
        text("interface", "what it can be used as", "interface:PowerSupply", field("interface"), is_sortable=True),
        text("attribute", "names of its attributes", "attribute=current", lambda t: [each.name for each in t.attributes], is_many=True),
        text("command", "names of its commands", "command:ramp*", lambda t: [each.name for each in t.commands], is_many=True),
        text("driver", "names of its drivers", "driver:Modbus*", lambda t: [each.name for each in t.drivers], is_many=True),
    ),
    Kind.UNIT_SERVER: (
        text("agent", "id of the agent that launches it", "agent=host-3", lambda s: ("" if s.launch is None else s.launch.agent,), is_indexed=True, is_sortable=True, is_reference=True),
        text("command", "how it is launched", "command:chaos*", of_launch("command")),
        flag("auto_start", "its agent starts it by itself", "auto_start", of_launch("auto_start")),
        flag("keep_alive", "its agent starts it again when it ends", "-keep_alive", of_launch("keep_alive")),
        number("level", "where its turn is when it is launched", "level>=2", of_launch("level")),
        word("order", "what people ordered", "order=STOP", LaunchOrder, of_launch("order")),
    ),
    Kind.AGENT: (text("host", "where it runs", "host:node*", field("host")),),
    Kind.EXECUTION_UNIT: (
        text("host", "name of the agent or unit server that runs it", "host:agents/*", field("host")),
        text("implementation", "the script or class that it runs", "implementation=wire_scan", field("implementation")),
        word("desired", "what people want it to be", "desired=RUNNING", sorted(DESIRABLE), field("desired_state")),
    ),
    Kind.VARIABLE: (text("value", "the JSON document", 'value:"beam"', field("value")),),
    Kind.SCRIPT: (
        text("language", "what it is written in", "language=CLING", field("language")),
        text("content", "the program", "content:setCurrent", field("content")),
        text("group", "what it belongs to", "group=tests", field("group")),
        text("target", "what it is for", "target:DAFNE*", field("target")),
    ),
    Kind.SNAPSHOT: (
        time("taken", "when its values were taken", "taken>2026-11-01", moment("taken_time_us")),
        text("control_unit", "ids of the control units that it has values of", "control_unit=DAFNE/PL/X", saved_units, is_many=True),
        text("mark", "words that people know it by", "mark=golden", many("marks"), is_many=True),
    ),
    Kind.POLICY: (
        text("id_prefix", "beginning of the ids that it is about", "id_prefix=DAFNE/", field("id_prefix")),
        text("template", "id of the template that it is about", "template=PowerSupply", field("template")),
        flag("requires_reason", "a change needs a reason", "requires_reason", field("requires_reason")),
    ),
    Kind.MAINTENANCE: (
        *UNITS_NAMED,
        text("unit_server", "ids of the unit servers that it covers", "unit_server:BTF/*", many("unit_servers"), is_many=True),
        time("begin", "when it begins", "begin<2026-11-01", moment("begin_time_us"), is_sortable=True),
        time("end", "when it ends; absent: when people end it", "end>2026-11-01", moment("end_time_us"), is_sortable=True),
    ),
    Kind.MACHINE_MODE: (
        text("mode", "the one that it is in", "mode=PHYSICS", field("mode")),
        text("modes", "those that there are", "modes=TEST", many("modes"), is_many=True),
    ),
    Kind.GUARD: (
        *UNITS_NAMED,
        text("machine_mode", "id of the machine mode that counts", "machine_mode=DAFNE", field("machine_mode")),
        text("mode", "those in which it forbids", "mode=PHYSICS", many("modes"), is_many=True),
        word("forbids", "what it forbids", "forbids=ORDERS", GuardedChange, many("forbids"), is_many=True),
        text("unit_server", "ids of the unit servers whose units it reaches", "unit_server:BTF/*", many("unit_servers"), is_many=True),
        text("template", "ids of the templates whose units it reaches", "template=Motor", many("templates"), is_many=True),
        text("unit_label", "labels of the units that it reaches", "unit_label.section=north", many("unit_labels"), is_many=True, has_names=True),
        UNIT_FILTER,
    ),
    Kind.UNIT_LIST: (
        *UNITS_NAMED,
        text("unit_label", "labels of the units on it", "unit_label.section=north", many("unit_labels"), is_many=True, has_names=True),
        UNIT_FILTER,
    ),
    Kind.CAMPAIGN: (
        number("target_units", "how many units shall be reached", "target_units>100", field("target_units")),
        time("due", "by when", "due<2026-12-01", moment("due_time_us")),
        flag("closed", "it takes no more orders", "-closed", field("closed")),
    ),
}  # fmt: skip

SESSION_KEYS = (
    text("id", "id of the unit server", "id:BTF/*", field("unit_server"), is_indexed=True, is_sortable=True),
    contact("contact of its last session; NONE: it never came, or said good-bye", is_sortable=True, is_past=False),
    text("host", "where it ran", "host:node*", field("host"), is_sortable=True),
    text("address", "where it answered", "address:192.168.*", field("address"), is_sortable=True),
    text("version", "of the program", "version=2.1", field("version"), is_sortable=True),
    text("class", "that it can build", "class:PowerSupply*", many("classes"), is_many=True),
    number("pid", "of the process", "pid=4711", field("pid")),
    time("started", "when its last session began", "started<1h", moment("start_time_us"), is_sortable=True),
    time("ended", "when that ended", "ended<1d", moment("end_time_us"), is_sortable=True),
    word("end_reason", "why that ended", "end_reason=LEASE_ENDED", EndReason, lambda s: () if s.end_reason is None else (s.end_reason,)),
)  # fmt: skip
"""Of what unit servers last said."""
