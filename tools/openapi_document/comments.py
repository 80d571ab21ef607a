"""What the comments of the protocol say, by the full names of what they stand above."""

from __future__ import annotations

import re
from collections.abc import Iterator

import generate_reference
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

PACKAGE = "mds.v1"
MESSAGES, ENUMS, SERVICES, MEMBERS = (
    generate_reference.MESSAGES,
    generate_reference.ENUMS,
    generate_reference.SERVICES,
    generate_reference.MEMBERS,
)
STATUS = re.compile(r"\bHTTP\s+(\d{3})\b")


class Comments:
    """Comments as one line of text each, by full name: `mds.v1.ControlUnit.labels`."""

    def __init__(self, files: FileDescriptorSet) -> None:
        self._texts = {
            name: " ".join(text.split())
            for file in files.file
            if file.package == PACKAGE
            for name, text in comments_of(file)
        }

    def of(self, full_name: str) -> str:
        """
        Raises:
            KeyError: there is nothing of that name.
        """
        return self._texts[full_name]

    def statuses(self, reasons: list[str]) -> dict[str, int]:
        """The HTTP status of each reason, as its comment says it."""
        found = {}
        for reason in reasons:
            match = STATUS.search(self.of(f"{PACKAGE}.ErrorReason.{reason}"))
            if match is None:
                raise ValueError(f"{reason}: its comment names no HTTP status")
            found[reason] = int(match[1])
        return found


def comments_of(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    comments = generate_reference.Comments(file)
    holders = (
        (MESSAGES, list(map(fields_of, file.message_type))),
        (ENUMS, list(map(values_of, file.enum_type))),
        (SERVICES, list(map(methods_of, file.service))),
    )
    for part, named in holders:
        for position, (name, members) in enumerate(named):
            yield f"{PACKAGE}.{name}", comments.at((part, position))
            for number, member in enumerate(members):
                text = comments.at((part, position, MEMBERS, number))
                yield f"{PACKAGE}.{name}.{member}", text


def fields_of(message: DescriptorProto) -> tuple[str, list[str]]:
    return message.name, [field.name for field in message.field]


def values_of(enum: EnumDescriptorProto) -> tuple[str, list[str]]:
    return enum.name, [value.name for value in enum.value]


def methods_of(service: ServiceDescriptorProto) -> tuple[str, list[str]]:
    return service.name, [method.name for method in service.method]
