"""The whole document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from mds.v1 import access_pb2, error_reason_pb2

from metadata_server.api.rest.answers import JSON
from metadata_server.api.rest.application import served_routes
from metadata_server.api.rest.routes import Route
from metadata_server.api.rest.streams import NDJSON
from openapi_document.answers import HEADERS, refusal_schemas, refusals_of, successes_of
from openapi_document.comments import PACKAGE, Comments
from openapi_document.examples import PATCHES, RESOURCES
from openapi_document.parameters import PATH, SHARED, field_of, parameters_of
from openapi_document.reasons import REASONS, reasons_of
from openapi_document.schemas import Schemas

Document = dict[str, Any]
SCHEME = "token"
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token (`mds token create`), where the server asks callers who they are; "
    "`x-required-role` of an operation is the least role that it takes.",
}
INTRODUCTION = """\
What a facility's control units are, and what of them runs: the protocol `mds.v1` by HTTP. gRPC
has the same calls under the same names, and nothing here is decided twice.

- **JSON** of proto3: `lowerCamelCase` (`snake_case` is read too), 64-bit integers as strings,
  times as RFC 3339, durations as seconds (`1.5s`). What is unset, empty or zero is left out.
- **Ids** have slashes: in a path they stand as they are or as `%2F`. An id's colon is `%3A`; what
  follows a plain colon is a verb.
- **Writing** takes the etag that was read (`If-Match`), a request id that makes it safe to repeat
  (`Idempotency-Key`), who (`Mds-Principal`), why (`Mds-Reason`), and can be tried (`dryRun`). Each
  may stand as field of the request instead.
- **Reading** can be of the past (`asOf`), at least as new as what was seen (`minRevision`), of a
  part (`fields`). Lists come in pages (`Link`), or whole as a file (`format`).
- **Who may** do what is asked where the server is told to (`MDS_AUTHENTICATION=token`): then each
  call takes a token, and each operation names its least role (`x-required-role`).
- **Refusals** have one body, [Refusal](#/components/schemas/Refusal); its `reason` never changes.
  Each operation lists its own.
- `HEAD` is answered as `GET` without its body, `OPTIONS` with `Allow`; a verb that a path has not
  with 405.
- Later releases add fields: readers skip what they do not know.
"""


def document_of(files: FileDescriptorSet) -> Document:
    """The document, from the descriptors of the protocol with their comments."""
    routes = served_routes()
    comments = Comments(files)
    resources = frozenset(
        route.body_message.name for route in routes if route.is_creation and route.verb == "POST"
    )
    schemas = Schemas(comments, resources)
    statuses = comments.statuses(REASONS)
    paths: dict[str, Any] = {}
    for route in routes:
        operation = operation_of(route, schemas, comments, statuses)
        paths.setdefault(path_of(route), {})[route.verb.lower()] = operation
    schemas.reference(error_reason_pb2.ErrorReason.DESCRIPTOR)
    refusals = refusal_schemas(schemas, statuses)
    for name, example in RESOURCES.items():
        schemas.found[name]["examples"] = [example]
    return {
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "info": {
            "title": "Control system metadata server",
            "version": "v1",
            "summary": "The one place where a facility keeps what its control units are.",
            "description": INTRODUCTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The replica that serves this document."}],
        "security": [{}, {SCHEME: []}],
        "tags": list(tags_of(routes, comments)),
        "paths": paths,
        "components": {
            "schemas": dict(sorted({**schemas.found, **refusals}.items())),
            "parameters": SHARED,
            "headers": HEADERS,
            "securitySchemes": {SCHEME: BEARER},
        },
    }


def path_of(route: Route) -> str:
    """The path of a route, with `{id}` for all that varies."""
    template = route.template
    variable = [f"{{{PATH}}}"] if template.field else []
    verb = f":{template.verb}" if template.verb else ""
    return "/" + "/".join([*template.before, *variable, *template.after]) + verb


def tags_of(routes: Iterable[Route], comments: Comments) -> list[dict[str, str]]:
    """A tag for each service, in the order of the protocol."""
    services = dict.fromkeys(route.service.name for route in routes)
    return [{"name": name, "description": comments.of(f"{PACKAGE}.{name}")} for name in services]


def operation_of(
    route: Route, schemas: Schemas, comments: Comments, statuses: dict[str, int]
) -> dict[str, Any]:
    service, method = route.service.name, route.method.name
    told = comments.of(f"{PACKAGE}.{service}.{method}")
    reasons = reasons_of(route, comments)
    found: dict[str, Any] = {
        "operationId": f"{service}_{method}",
        "tags": [service],
        "summary": summary_of(told),
        "description": told,
        "parameters": list(parameters_of(route, schemas, comments)),
    }
    found["x-required-role"] = role_of(route)
    if route.method.GetOptions().deprecated:
        found["deprecated"] = True
    if body := body_of(route, schemas, comments):
        found["requestBody"] = body
    found["responses"] = successes_of(route, schemas, comments) | refusals_of(reasons, statuses)
    return found


def summary_of(text: str) -> str:
    """The first sentence, without its stop."""
    return text.partition(". ")[0].partition(": ")[0].rstrip(".")


def role_of(route: Route) -> str:
    """The least role that a call takes, where callers are asked who they are."""
    access = route.method.GetOptions().Extensions[access_pb2.access]
    return access_pb2.Role.Name(access.role).removeprefix("ROLE_").lower()


def body_of(route: Route, schemas: Schemas, comments: Comments) -> dict[str, Any] | None:
    """What a route is sent."""
    if route.takes_stream:
        told = "A line of JSON for each message, in their order."
        content = {
            "schema": {"type": "string", "description": told},
            "x-itemSchema": schemas.reference(route.request),
        }
        return {"required": True, "description": told, "content": {NDJSON: content}}
    if not route.body:
        return None
    if route.body == "*":
        inside = route.template.field
        schema = schemas.body(route.request, without=inside if "." not in inside else "")
        told = comments.of(route.request.full_name)
        return {"required": False, "description": told, "content": {JSON: {"schema": schema}}}
    field = route.request.fields_by_name[route.body]
    media: dict[str, Any] = {"schema": schemas.reference(route.body_message)}
    name = route.body_message.name
    media["example"] = RESOURCES[name] if route.is_creation else PATCHES[name]
    if route.verb == "PATCH":
        without = field_of(route).name
        told = (
            f"The fields to change; {without} is that of the path. A field that is null is cleared."
        )
    else:
        told = comments.of(field.full_name)
    return {"required": True, "description": told, "content": {JSON: media}}
