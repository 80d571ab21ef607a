"""Where SQL finds what filters ask of the other kinds that people declare."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table

from metadata_server.domain.intent.template import VersionState
from metadata_server.domain.intent.unit_server import LaunchOrder
from metadata_server.domain.life.state import State
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.store import schema
from metadata_server.store.filter import sources
from metadata_server.store.filter.said import SAID_SOURCES
from metadata_server.store.filter.sources import Source
from metadata_server.store.kinds import LAYOUTS


def common_sources(table: Table) -> dict[str, Source]:
    """Of what all kinds that people declare have."""
    columns = table.c
    return {
        "id": sources.ids(columns.id),
        "description": sources.body_text(columns.body, "$.description"),
        "label": sources.body_names(columns.body, "$.labels"),
        "property": sources.body_names(columns.body, "$.properties"),
        "changed": sources.times(columns.update_time_us, "changed"),
        "created": sources.times(columns.create_time_us, "created"),
        "revision": sources.numbers(columns.revision),
        "generation": sources.numbers(columns.generation),
    }


def units_named(table: Table) -> dict[str, Source]:
    return {
        "control_unit": sources.body_list(table.c.body, "$.control_units"),
        "id_prefix": sources.body_list(table.c.body, "$.id_prefixes"),
    }


TEMPLATE = schema.template.c
SERVER = schema.unit_server.c
EXECUTION = schema.execution_unit.c
SCRIPT = schema.script.c
SNAPSHOT = schema.snapshot.c
POLICY = schema.policy.c
MAINTENANCE = schema.maintenance.c
MODE = schema.machine_mode.c
GUARD = schema.guard.c
CAMPAIGN = schema.campaign.c

OWN: Mapping[Kind, Mapping[str, Source]] = {
    Kind.TEMPLATE: {
        "version": sources.numbers(TEMPLATE.version),
        "version_state": sources.body_words(
            TEMPLATE.body, "$.version_state", VersionState.PUBLISHED
        ),
        "implementation": sources.body_text(TEMPLATE.body, "$.implementation"),
        "group": sources.body_text(TEMPLATE.body, "$.group"),
        "interface": sources.body_text(TEMPLATE.body, "$.interface"),
        "attribute": sources.body_list(TEMPLATE.body, "$.attributes", ".name"),
        "command": sources.body_list(TEMPLATE.body, "$.commands", ".name"),
        "driver": sources.body_list(TEMPLATE.body, "$.drivers", ".name"),
    },
    Kind.UNIT_SERVER: {
        "agent": sources.references(SERVER.agent_key, Kind.AGENT),
        "command": sources.launched(sources.body_text, SERVER.body, "command"),
        "auto_start": sources.launched(sources.body_flag, SERVER.body, "auto_start"),
        "keep_alive": sources.launched(sources.body_flag, SERVER.body, "keep_alive"),
        "level": sources.launched(sources.body_number, SERVER.body, "level"),
        "order": sources.launched(
            lambda body, path: sources.body_words(body, path, LaunchOrder.UNSPECIFIED),
            SERVER.body,
            "order",
        ),
    },
    Kind.AGENT: {"host": sources.body_text(schema.agent.c.body, "$.host")},
    Kind.EXECUTION_UNIT: {
        "host": sources.body_text(EXECUTION.body, "$.host"),
        "implementation": sources.body_text(EXECUTION.body, "$.implementation"),
        "desired": sources.body_words(EXECUTION.body, "$.desired_state", State.UNSPECIFIED),
    },
    Kind.VARIABLE: {"value": sources.body_text(schema.variable.c.body, "$.value")},
    Kind.SCRIPT: {
        name: sources.body_text(SCRIPT.body, f"$.{name}")
        for name in ("language", "content", "group", "target")
    },
    Kind.SNAPSHOT: {
        "taken": sources.body_time(SNAPSHOT.body, "$.taken_time_us"),
        "control_unit": sources.body_list(SNAPSHOT.body, "$.units", ".control_unit"),
        "mark": sources.body_list(SNAPSHOT.body, "$.marks"),
    },
    Kind.POLICY: {
        "id_prefix": sources.body_text(POLICY.body, "$.id_prefix"),
        "template": sources.references(POLICY.template_key, Kind.TEMPLATE),
        "requires_reason": sources.body_flag(POLICY.body, "$.requires_reason"),
    },
    Kind.MAINTENANCE: {
        **units_named(schema.maintenance),
        "unit_server": sources.body_list(MAINTENANCE.body, "$.unit_servers"),
        "begin": sources.body_time(MAINTENANCE.body, "$.begin_time_us"),
        "end": sources.times(MAINTENANCE.end_time_us),
    },
    Kind.MACHINE_MODE: {
        "mode": sources.body_text(MODE.body, "$.mode"),
        "modes": sources.body_list(MODE.body, "$.modes"),
    },
    Kind.GUARD: {
        **units_named(schema.guard),
        "machine_mode": sources.references(GUARD.machine_mode_key, Kind.MACHINE_MODE),
        "mode": sources.body_list(GUARD.body, "$.modes"),
        "forbids": sources.body_list(GUARD.body, "$.forbids"),
        "unit_server": sources.body_list(GUARD.body, "$.unit_servers"),
        "template": sources.body_list(GUARD.body, "$.templates"),
        "unit_label": sources.body_names(GUARD.body, "$.unit_labels"),
        "unit_filter": sources.body_text(GUARD.body, "$.unit_filter"),
    },
    Kind.UNIT_LIST: {
        **units_named(schema.unit_list),
        "unit_label": sources.body_names(schema.unit_list.c.body, "$.unit_labels"),
        "unit_filter": sources.body_text(schema.unit_list.c.body, "$.unit_filter"),
    },
    Kind.CAMPAIGN: {
        "target_units": sources.body_number(CAMPAIGN.body, "$.target_units"),
        "due": sources.body_time(CAMPAIGN.body, "$.due_time_us"),
        "closed": sources.body_flag(CAMPAIGN.body, "$.closed"),
    },
}

KIND_SOURCES: Mapping[Kind, Mapping[str, Source]] = {
    kind: {
        **common_sources(LAYOUTS[kind].table),
        **OWN.get(kind, {}),
        **SAID_SOURCES.get(kind, {}),
    }
    for kind in DECLARED
    if kind is not Kind.CONTROL_UNIT
}
