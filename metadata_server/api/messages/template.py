"""Templates on the wire."""

from __future__ import annotations

from mds.v1 import template_pb2

from metadata_server.api.messages.attribute import (
    attribute_message,
    attributes_of,
    driver_message,
    drivers_of,
    parameter_message,
    parameters_of,
)
from metadata_server.api.messages.enums import RELATIONS, VERSION_STATES
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.resource import shared_content, shared_fields
from metadata_server.domain.intent.template import (
    Command,
    Relation,
    Requirement,
    Template,
    VersionMark,
    VersionState,
)


def template_message(template: Template) -> template_pb2.Template:
    return template_pb2.Template(
        **shared_fields(template),
        version=template.version,
        version_state=VERSION_STATES.number[template.version_state],
        implementation=template.implementation,
        group=template.group,
        interface=template.interface,
        drivers=map(driver_message, template.drivers),
        alternative_drivers=map(driver_message, template.alternative_drivers),
        parameters=map(parameter_message, template.parameters),
        attributes=map(attribute_message, template.attributes),
        commands=map(command_message, template.commands),
        requirements=map(requirement_message, template.requirements),
        versions=map(mark_message, template.versions),
    )


def template_of(message: template_pb2.Template, id: str, reading: Reading) -> Template:
    return Template(
        **shared_content(message, id),
        version=message.version,
        version_state=reading.member(
            VERSION_STATES, message.version_state, "version_state", VersionState.PUBLISHED
        ),
        implementation=message.implementation,
        group=message.group,
        interface=message.interface,
        drivers=drivers_of(message.drivers),
        alternative_drivers=drivers_of(message.alternative_drivers),
        parameters=parameters_of(message.parameters, reading, path="parameters"),
        attributes=attributes_of(message.attributes, reading),
        commands=tuple(
            Command(
                command.name,
                command.description,
                parameters_of(command.parameters, reading, path=f"commands[{position}].parameters"),
            )
            for position, command in enumerate(message.commands)
        ),
        requirements=tuple(
            Requirement(
                each.left,
                reading.member(
                    RELATIONS,
                    each.relation,
                    f"requirements[{position}].relation",
                    Relation.AT_MOST,
                ),
                each.right,
                each.description,
            )
            for position, each in enumerate(message.requirements)
        ),
    )


def command_message(command: Command) -> template_pb2.Command:
    return template_pb2.Command(
        name=command.name,
        description=command.description,
        parameters=map(parameter_message, command.parameters),
    )


def requirement_message(requirement: Requirement) -> template_pb2.Requirement:
    return template_pb2.Requirement(
        left=requirement.left,
        relation=RELATIONS.number[requirement.relation],
        right=requirement.right,
        description=requirement.description,
    )


def mark_message(mark: VersionMark) -> template_pb2.VersionMark:
    return template_pb2.VersionMark(
        version=mark.version, version_state=VERSION_STATES.number[mark.version_state]
    )
