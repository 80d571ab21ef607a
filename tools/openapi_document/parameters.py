"""Parameters of operations: in the path, in the query, in headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from metadata_server.api.rest.formats import FORMATS
from metadata_server.api.rest.middleware import REQUEST_ID_HEADER
from metadata_server.api.rest.parameters import (
    DRY_RUN,
    FIELDS,
    FORMAT,
    LAST_EVENT,
    MINIMUM,
    NAMED_ANYWAY,
    is_position,
    parameters,
    resumes,
    words_of,
)
from metadata_server.api.rest.requests import LAST_EVENT_ID, REASON, REQUEST_ID, etag_path
from metadata_server.api.rest.routes import Route
from openapi_document.comments import Comments
from openapi_document.examples import example_id
from openapi_document.limits import REQUEST_ID_TEXT, id_schema
from openapi_document.schemas import Schemas

Parameter = dict[str, Any]
PARAMETERS = "#/components/parameters/"
PATH = "id"
POSITION_PATTERN = r"^[^/]+/[0-9]{1,18}/[0-9]{1,18}$"
REVISION_PATTERN = r"^([^/]+/[0-9]{1,18}/)?[0-9]{1,18}$"
HAS_EXAMPLE = re.compile(r"\(`([^`]+)`")
BY_OTHER_MEANS = {"etag", *NAMED_ANYWAY}
"""Fields that a header or a shared word tells."""

SHARED: dict[str, Parameter] = {
    DRY_RUN: {
        "name": DRY_RUN,
        "in": "query",
        "description": "Checks everything, answers as if it were done, and writes nothing.",
        "schema": {"type": "boolean", "default": False},
    },
    FIELDS: {
        "name": FIELDS,
        "in": "query",
        "description": "Only these fields of the answer, with commas between them; a dot leads "
        "into one (`name,labels.section`). In a list: of its items. Empty: all.",
        "schema": {"type": "string", "default": ""},
    },
    MINIMUM: {
        "name": MINIMUM,
        "in": "query",
        "description": "What the caller has seen, a revision or an `Mds-Position`: the answer is "
        "at least as new, or REVISION_NOT_REACHED.",
        "schema": {"type": "string", "pattern": REVISION_PATTERN},
        "example": "0",
    },
    FORMAT: {
        "name": FORMAT,
        "in": "query",
        "description": "The whole list as a file, all pages of it. `Accept` can ask for the same. "
        "Absent: one page.",
        "schema": {"type": "string", "enum": [each.word for each in FORMATS]},
        "example": "json",
    },
    LAST_EVENT: {
        "name": LAST_EVENT,
        "in": "query",
        "description": f"As the header {LAST_EVENT_ID}, for those who cannot set headers.",
        "schema": {"type": "string", "pattern": POSITION_PATTERN},
    },
    LAST_EVENT_ID: {
        "name": LAST_EVENT_ID,
        "in": "header",
        "description": "`id` of the last event that was read: the stream goes on after it.",
        "schema": {"type": "string", "pattern": POSITION_PATTERN},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": 'The etag that was read (`"1207"`); `*`: whatever is there. Absent, here '
        "and in the body: 428; stale: 412.",
        "schema": {"type": "string", "pattern": '^(\\*|"[A-Za-z0-9:._-]{1,80}")$'},
        "example": "*",
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The etag of what the caller has: 304 where that is what would be answered.",
        "schema": {"type": "string"},
        "example": '"1207"',
    },
    REQUEST_ID: {
        "name": REQUEST_ID,
        "in": "header",
        "description": "Makes a repeated call safe: unique for each intent of its caller. The "
        "call repeated is given the first answer.",
        "schema": {"type": "string", **REQUEST_ID_TEXT},
    },
    REASON: {
        "name": REASON,
        "in": "header",
        "description": "Why, for the history; UTF-8.",
        "schema": {"type": "string"},
        "example": "beam time 12",
    },
    REQUEST_ID_HEADER: {
        "name": REQUEST_ID_HEADER,
        "in": "header",
        "description": "What the call is known by in the caller's own log: it stands in the "
        "server's log, in the history unless the change brings an id of its own, and in the answer. "
        "Of more than 64 characters the first 64.",
        "schema": {"type": "string"},
        "example": "night-shift-17",
    },
    "Mds-Principal": {
        "name": "Mds-Principal",
        "in": "header",
        "description": "Who calls, as they say of themselves: the author in the history. Of more "
        "than 255 characters the first 255.",
        "schema": {"type": "string", "default": "anonymous"},
        "example": "maria",
    },
}


def parameters_of(route: Route, schemas: Schemas, comments: Comments) -> Iterator[Parameter]:
    """All parameters of a route."""
    if route.template.field:
        yield path_parameter(route, comments)
    for field in parameters(route):
        if field.name not in BY_OTHER_MEANS:
            yield from query_parameters(field, "", schemas, comments)
    for word in SHARED:
        if word in told_by(route):
            yield {"$ref": PARAMETERS + word}


def told_by(route: Route) -> set[str]:
    """The shared parameters that a route knows."""
    fields = route.request.fields_by_name
    found = words_of(route) | {"Mds-Principal", REQUEST_ID_HEADER}
    if resumes(route):
        found.add(LAST_EVENT_ID)
    if "request_id" in fields:
        found.add(REQUEST_ID)
    if "reason" in fields:
        found.add(REASON)
    if etag_path(route):
        found.add("If-Match")
    if route.verb == "GET" and has_etag(route):
        found.add("If-None-Match")
    return found


def has_etag(route: Route) -> bool:
    """Whether an answer can have an etag."""
    names = route.response.fields_by_name
    return not route.is_stream and ("etag" in names or route.response.name == "Configuration")


def path_parameter(route: Route, comments: Comments) -> Parameter:
    """The id. Its slashes are part of it, and OpenAPI has no such thing: who writes each slash
    as %2F, as all generated clients do, is understood as well as who does not."""
    template = route.template
    told = f"What stands for id in: {comments.of(field_of(route).full_name)}"
    if template.is_deep:
        told += " Slashes may be written as they are or as %2F, colons as %3A only."
    schema = id_schema(is_free=not template.head, is_deep=template.is_deep)
    return {
        "name": PATH,
        "in": "path",
        "required": True,
        "description": told,
        "schema": schema,
        "example": example_id(template.head[0] if template.head else ""),
    }


def field_of(route: Route) -> FieldDescriptor:
    descriptor = route.request
    *outer, last = route.template.field.split(".")
    for name in outer:
        inner = descriptor.fields_by_name[name].message_type
        assert inner is not None
        descriptor = inner
    found: FieldDescriptor = descriptor.fields_by_name[last]
    return found


def query_parameters(
    field: FieldDescriptor, before: str, schemas: Schemas, comments: Comments
) -> Iterator[Parameter]:
    """A field as a parameter; what stands within another one as `outer.inner`."""
    name = before + field.json_name
    inner = field.message_type
    if is_position(field):
        told = f"{comments.of(field.full_name)} As in `Mds-Position`."
        yield query(name, {"type": "string", "pattern": POSITION_PATTERN}, told)
    elif inner is None or inner.full_name.startswith("google."):
        schema = schemas.value(field)
        yield query(name, schema, comments.of(field.full_name))
    elif not field.is_repeated and not inner.GetOptions().map_entry:
        for each in inner.fields:
            yield from query_parameters(each, f"{name}.", schemas, comments)


def query(name: str, schema: dict[str, Any], told: str) -> Parameter:
    found: Parameter = {"name": name, "in": "query", "description": told, "schema": schema}
    if schema.get("type") == "string" and (example := HAS_EXAMPLE.search(told)):
        found["example"] = example[1]
    return found
