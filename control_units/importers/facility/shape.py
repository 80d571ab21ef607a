"""How resources look in a file: as in the protocol, but with ids instead of names, words
instead of numbers of enums, and without what a server sets."""

from collections.abc import Mapping

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

KINDS: Mapping[str, str] = {
    "templates": "template",
    "agents": "agent",
    "unit_servers": "unit_server",
    "scripts": "script",
    "control_units": "control_unit",
    "execution_units": "execution_unit",
    "variables": "variable",
    "snapshots": "snapshot",
    "policies": "policy",
    "maintenances": "maintenance",
    "machine_modes": "machine_mode",
    "guards": "guard",
    "unit_lists": "unit_list",
    "campaigns": "campaign",
    "webhooks": "webhook",
}
"""Fields of a bundle's item by the name of their list, each after what it refers to."""

SET_BY_SERVER = frozenset(
    {"etag", "revision", "create_time", "update_time", "generation", "zone", "versions"}
)
"""Fields of resources that a file does not have."""

REFERENCES: Mapping[str, str] = {
    "mds.v1.ControlUnit.template": "templates",
    "mds.v1.ControlUnit.unit_server": "unit_servers",
    "mds.v1.ControlUnit.requires": "control_units",
    "mds.v1.ControlUnit.after": "control_units",
    "mds.v1.Launch.agent": "agents",
    "mds.v1.Policy.template": "templates",
    "mds.v1.Maintenance.control_units": "control_units",
    "mds.v1.Maintenance.unit_servers": "unit_servers",
    "mds.v1.Guard.machine_mode": "machine_modes",
    "mds.v1.Guard.control_units": "control_units",
    "mds.v1.Guard.unit_servers": "unit_servers",
    "mds.v1.Guard.templates": "templates",
    "mds.v1.UnitList.control_units": "control_units",
}
"""Fields that name resources of one kind: a file has only their ids."""

TIMESTAMP = "google.protobuf.Timestamp"


def is_map(field: FieldDescriptor) -> bool:
    """Whether it is a map, all of which are from text to text."""
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def words_of(enum: EnumDescriptor) -> Mapping[str, int]:
    """Numbers of an enum's values by their words: `RUNNING` for STATE_RUNNING."""
    prefix = "".join(f"_{c}" if c.isupper() else c.upper() for c in enum.name).lstrip("_")
    return {value.name.removeprefix(f"{prefix}_"): value.number for value in enum.values}
