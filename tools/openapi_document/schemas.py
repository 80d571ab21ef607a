"""Messages and enums of the protocol as JSON Schema, the way they stand in JSON of proto3."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from metadata_server.api.messages.resource import SET_BY_SERVER
from openapi_document.comments import Comments
from openapi_document.limits import limits_of, name_pattern

Schema = dict[str, Any]
SCHEMAS = "#/components/schemas/"
WRITTEN_ANYWAY = {"name", "etag"}
"""Of what the server sets: fields that a caller tells it in order to be understood."""

WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$",
    },
    "google.protobuf.FieldMask": {"type": "string", "format": "field-mask"},
}
SCALARS: dict[int, Schema] = {
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.CPPTYPE_INT32: {
        "type": "integer",
        "format": "int32",
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
    },
    FieldDescriptor.CPPTYPE_UINT32: {
        "type": "integer",
        "format": "uint32",
        "minimum": 0,
        "maximum": 2**32 - 1,
    },
    FieldDescriptor.CPPTYPE_INT64: {
        "type": "string",
        "format": "int64",
        "pattern": r"^-?[0-9]{1,19}$",
    },
    FieldDescriptor.CPPTYPE_UINT64: {
        "type": "string",
        "format": "uint64",
        "pattern": r"^[0-9]{1,20}$",
    },
}


class Schemas:
    """The schemas that have been referred to, by name.

    Args:
        resources: messages that people declare: what the server sets of them is read-only.
    """

    def __init__(self, comments: Comments, resources: frozenset[str]) -> None:
        self._comments = comments
        self._resources = resources
        self.found: dict[str, Schema] = {}

    def reference(self, descriptor: Descriptor | EnumDescriptor) -> Schema:
        if descriptor.full_name in WELL_KNOWN:
            return dict(WELL_KNOWN[descriptor.full_name])
        name = descriptor.name
        if name not in self.found:
            self.found[name] = {}  # messages may hold themselves
            if isinstance(descriptor, EnumDescriptor):
                self.found[name] = self._enum(descriptor)
            else:
                self.found[name] = self._message(descriptor)
        return {"$ref": SCHEMAS + name}

    def body(self, descriptor: Descriptor, *, without: str) -> Schema:
        """A request that is the whole body, save the field that the path has."""
        schema = self._message(descriptor)
        for field in descriptor.fields:
            if field.name == without:
                del schema["properties"][field.json_name]
        self.found[descriptor.name] = schema
        return {"$ref": SCHEMAS + descriptor.name}

    def field(self, field: FieldDescriptor) -> Schema:
        """A field with what is said of it."""
        schema = self.value(field)
        if told := self._comments.of(field.full_name):
            schema["description"] = told
        if field.GetOptions().deprecated:
            schema["deprecated"] = True
        assert field.containing_type is not None
        owner = field.containing_type.name
        if owner in self._resources and field.name in SET_BY_SERVER - WRITTEN_ANYWAY:
            schema["readOnly"] = True
        if field.containing_oneof is not None and len(field.containing_oneof.fields) > 1:
            schema["x-one-of"] = field.containing_oneof.name
        return schema

    def value(self, field: FieldDescriptor) -> Schema:
        """The type of a field, with its range."""
        message = field.message_type
        if message is not None and message.GetOptions().map_entry:
            values = self._element(message.fields_by_name["value"])
            return {"type": "object", "additionalProperties": values}
        element = self._element(field) | limits_of(field)
        if field.is_repeated:
            return {"type": "array", "items": element}
        assert field.containing_type is not None
        if field.name == "name":
            element |= name_pattern(field.containing_type.name)
        return element

    def _element(self, field: FieldDescriptor) -> Schema:
        inner = field.message_type or field.enum_type
        if inner is not None:
            return self.reference(inner)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "format": "byte", "contentEncoding": "base64"}
        return dict(SCALARS[field.cpp_type])

    def _message(self, descriptor: Descriptor) -> Schema:
        schema: Schema = {
            "type": "object",
            "description": self._comments.of(descriptor.full_name),
            "properties": {field.json_name: self.field(field) for field in descriptor.fields},
            "additionalProperties": False,
        }
        several = [each for each in descriptor.oneofs if len(each.fields) > 1]
        if several:
            told = " ".join(f"At most one of {names_of(each)}." for each in several)
            schema["description"] = f"{schema['description']} {told}"
        if len(several) == 1 and len(several[0].fields) == len(descriptor.fields):
            schema["maxProperties"] = 1
        return schema

    def _enum(self, descriptor: EnumDescriptor) -> Schema:
        told = {
            value.name: self._comments.of(f"{descriptor.full_name}.{value.name}")
            for value in descriptor.values
        }
        lines = "\n".join(f"- `{name}`: {text}" for name, text in told.items())
        return {
            "type": "string",
            "description": f"{self._comments.of(descriptor.full_name)}\n\n{lines}",
            "enum": list(told),
            "x-enumDescriptions": told,
        }


def names_of(oneof: Any) -> str:
    return ", ".join(f"`{field.json_name}`" for field in oneof.fields)
