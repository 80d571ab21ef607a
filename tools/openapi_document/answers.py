"""What operations answer: with what they were asked for, or with a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from mds.v1 import difference_pb2

from metadata_server.api.errors import CODES
from metadata_server.api.rest.answers import JSON, POSITION_HEADER
from metadata_server.api.rest.formats import FORMATS, Format, Yaml
from metadata_server.api.rest.routes import Route
from metadata_server.api.rest.streams import EVENTS, NDJSON
from openapi_document.comments import PACKAGE, Comments
from openapi_document.examples import REFUSAL
from openapi_document.parameters import POSITION_PATTERN, has_etag
from openapi_document.schemas import Schema, Schemas

HEADERS: dict[str, dict[str, Any]] = {
    POSITION_HEADER: {
        "description": "The position of the store that was read or written: `store/epoch/revision`.",
        "schema": {"type": "string", "pattern": POSITION_PATTERN},
    },
    "ETag": {
        "description": "What `If-Match` and `If-None-Match` take.",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": 'The first page, and the next one where there is one (RFC 8288): `rel="next"`.',
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Path of what was made.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "How a caller shows who it is.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "After so many seconds the same call may be sent again.",
        "schema": {"type": "integer", "minimum": 0},
    },
}
TITLES = {
    400: "The request cannot be.",
    401: "No token was sent that is good.",
    403: "The caller may not.",
    404: "It is not there.",
    406: "No format of this path is accepted.",
    409: "What is there stands against it.",
    410: "The past that is asked for is not kept, or of another store.",
    412: "Others have changed it since it was read.",
    413: "It is too large.",
    415: "The body is of another media type.",
    421: "It was called by a name that is not its own.",
    428: "The etag is missing.",
    429: "Too much at once.",
    500: "A fault of the server's own.",
    503: "Not now.",
}
TYPE = "type.googleapis.com/"


def successes_of(route: Route, schemas: Schemas, comments: Comments) -> dict[str, Any]:
    """What a call that went well is answered with, by status."""
    told = comments.of(route.response.full_name)
    found: dict[str, Any] = {
        "200": {
            "description": told,
            "headers": headers(*header_names(route)),
            "content": contents(route, schemas),
        }
    }
    if route.is_creation:
        found["201"] = found["200"] | {"headers": headers(*header_names(route), "Location")}
        found["200"] = found["200"] | {"description": f"With `dryRun`: as it would be. {told}"}
    if route.verb == "GET" and has_etag(route):
        found["304"] = {
            "description": "The caller has it already.",
            "headers": headers("ETag", POSITION_HEADER),
        }
    return found


def header_names(route: Route) -> Iterator[str]:
    yield POSITION_HEADER
    if has_etag(route):
        yield "ETag"
    if route.items is not None:
        yield "Link"


def headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def contents(route: Route, schemas: Schemas) -> dict[str, Any]:
    """The answer by media type."""
    reference = schemas.reference(route.response)
    if route.is_stream:
        return {
            NDJSON: messages(reference, "A line of JSON for each message"),
            EVENTS: messages(reference, "Server-sent events; `data` of each is a message"),
        }
    found: dict[str, Any] = {JSON: {"schema": reference}}
    if route.items is not None:
        for each in FORMATS:
            if each.media_type != JSON:
                told = f"All pages as a file; as `format={each.word}`."
                found[each.media_type] = {"schema": file_schema(each, route.items, schemas, told)}
    return found


def file_schema(
    format: type[Format], items: FieldDescriptor, schemas: Schemas, told: str
) -> Schema:
    """Of a file: YAML is a document, the others are lines and tables."""
    if format is Yaml:
        return schemas.value(items) | {"description": told}
    return {"type": "string", "description": told}


def messages(reference: Schema, told: str) -> dict[str, Any]:
    """Many messages in one body, which OpenAPI 3.1 has no word for."""
    name = reference["$ref"].rpartition("/")[2]
    return {
        "schema": {"type": "string", "description": f"{told}: a {name}."},
        "x-itemSchema": reference,
    }


def refusals_of(reasons: Iterable[str], statuses: dict[str, int]) -> dict[str, Any]:
    """Refusals by status; each names its reasons, which ErrorReason tells more of."""
    found: dict[str, Any] = {}
    for status, same in groupby(sorted(reasons, key=statuses.__getitem__), statuses.__getitem__):
        names = list(same)
        told = ", ".join(f"`{name}`" for name in names)
        found[str(status)] = {
            "description": f"{TITLES[status]} {told}.",
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/Refusal"}}},
            "x-reasons": names,
        }
        if status == 401:
            found[str(status)]["headers"] = headers("WWW-Authenticate")
        if status in {429, 503}:
            found[str(status)]["headers"] = headers("Retry-After")
    return found


def refusal_schemas(schemas: Schemas, statuses: dict[str, int]) -> dict[str, Schema]:
    """The one body of all refusals, and its details."""
    conflict = schemas.reference(difference_pb2.Conflict.DESCRIPTOR)["$ref"].rpartition("/")[2]
    details = {
        "ErrorInfo": error_info(),
        "BadRequest": bad_request(),
        "RetryInfo": detail("google.rpc.RetryInfo", {"retryDelay": {"type": "string"}}),
        "RequestInfo": detail("google.rpc.RequestInfo", {"requestId": {"type": "string"}}),
        "ConflictDetail": detail(
            f"{PACKAGE}.Conflict", dict(schemas.found[conflict]["properties"])
        ),
    }
    return {**details, "Refusal": refusal(list(details), sorted(set(statuses.values()) | {405}))}


def refusal(details: list[str], codes: list[int]) -> Schema:
    error = {
        "type": "object",
        "description": "The refusal.",
        "properties": {
            "code": {"type": "integer", "enum": codes, "description": "The HTTP status."},
            "status": {
                "type": "string",
                "enum": sorted({code.name for code in CODES.values()}),
                "description": "The status of gRPC.",
            },
            "message": {"type": "string", "description": "For people: what, and what is right."},
            "details": {
                "type": "array",
                "minItems": 1,
                "description": "One ErrorInfo, and what else there is to say.",
                "items": {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in details]},
            },
        },
        "required": ["code", "status", "message", "details"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "description": "Why a call was refused: the google.rpc.Status of gRPC in JSON.",
        "properties": {"error": error},
        "required": ["error"],
        "additionalProperties": False,
        "examples": [REFUSAL],
    }


def detail(type_name: str, properties: dict[str, Any], *required: str) -> Schema:
    return {
        "type": "object",
        "properties": {"@type": {"type": "string", "const": TYPE + type_name}, **properties},
        "required": ["@type", *required],
        "additionalProperties": False,
    }


def error_info() -> Schema:
    return detail(
        "google.rpc.ErrorInfo",
        {
            "reason": {"$ref": "#/components/schemas/ErrorReason"},
            "domain": {"type": "string", "const": "mds"},
            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "reason",
        "domain",
    )


def bad_request() -> Schema:
    violation = {
        "type": "object",
        "properties": {
            "field": {"type": "string", "description": "Path of the field."},
            "description": {"type": "string", "description": "What would be right."},
            "reason": {"type": "string"},
        },
        "additionalProperties": False,
    }
    properties = {"fieldViolations": {"type": "array", "items": violation}}
    return detail("google.rpc.BadRequest", properties)
