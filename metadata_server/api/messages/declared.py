"""Every kind that people declare, to its message and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from metadata_server.api.messages.campaign import campaign_message, campaign_of
from metadata_server.api.messages.control_unit import control_unit_message, control_unit_of
from metadata_server.api.messages.facility import (
    agent_message,
    agent_of,
    execution_unit_message,
    execution_unit_of,
    policy_message,
    policy_of,
    script_message,
    script_of,
    snapshot_message,
    snapshot_of,
    variable_message,
    variable_of,
)
from metadata_server.api.messages.guard import (
    guard_message,
    guard_of,
    machine_mode_message,
    machine_mode_of,
)
from metadata_server.api.messages.maintenance import maintenance_message, maintenance_of
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.template import template_message, template_of
from metadata_server.api.messages.unit_list import unit_list_message, unit_list_of
from metadata_server.api.messages.unit_server import unit_server_message, unit_server_of
from metadata_server.api.messages.webhook import webhook_message, webhook_of
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource

Write = Callable[[Any], Message]
Read = Callable[[Any, str, Reading], Resource]

CONVERSIONS: dict[Kind, tuple[Write, Read]] = {
    Kind.TEMPLATE: (template_message, template_of),
    Kind.UNIT_SERVER: (unit_server_message, unit_server_of),
    Kind.CONTROL_UNIT: (control_unit_message, control_unit_of),
    Kind.AGENT: (agent_message, agent_of),
    Kind.EXECUTION_UNIT: (execution_unit_message, execution_unit_of),
    Kind.VARIABLE: (variable_message, variable_of),
    Kind.SCRIPT: (script_message, script_of),
    Kind.SNAPSHOT: (snapshot_message, snapshot_of),
    Kind.POLICY: (policy_message, policy_of),
    Kind.MAINTENANCE: (maintenance_message, maintenance_of),
    Kind.MACHINE_MODE: (machine_mode_message, machine_mode_of),
    Kind.GUARD: (guard_message, guard_of),
    Kind.UNIT_LIST: (unit_list_message, unit_list_of),
    Kind.CAMPAIGN: (campaign_message, campaign_of),
    Kind.WEBHOOK: (webhook_message, webhook_of),
}


def to_message(resource: Resource) -> Message:
    """The message of a declared resource."""
    write, _ = CONVERSIONS[resource.kind]
    return write(resource)


def from_message(kind: Kind, message: Any) -> Resource:
    """The declared resource of a message, in the order in which it is kept: attributes by
    name, overrides by attribute, saved units and values by name; drivers as they come. What
    the server sets is not read.

    Raises:
        Refused: with every name, reference and enum that cannot be read.
    """
    resource, reading = read_message(kind, message)
    reading.finish()
    return resource


def read_message(kind: Kind, message: Any) -> tuple[Resource, Reading]:
    """What can be read of a message, and what could not."""
    reading = Reading()
    _, read = CONVERSIONS[kind]
    resource = read(message, reading.id(kind, message.name, "name"), reading)
    return resource, reading
