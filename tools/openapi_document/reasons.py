"""Which refusals a call may be answered with: those that its comments name, and those that
whatever is made like it has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor
from mds.v1 import bundle_pb2, error_reason_pb2

from metadata_server.api.rest.parameters import resumes
from metadata_server.api.rest.requests import etag_path
from metadata_server.api.rest.routes import Route
from metadata_server.domain.names import DECLARED
from openapi_document.comments import PACKAGE, Comments

WORD = re.compile(r"\b[A-Z][A-Z_]+[A-Z]\b")
NAMED = re.compile(r"`([a-z_]+)/\{")
CONTENT, ANY_KIND = "what its content breaks", "the kind's NOT_FOUND"

REASONS = [
    value.name for value in error_reason_pb2.ErrorReason.DESCRIPTOR.values if value.number > 0
]
ALWAYS = (
    "UNAUTHENTICATED",
    "ROLE_REQUIRED",
    "INVALID_FIELD",
    "INVALID_HTTP",
    "PATH_NOT_FOUND",
    "HOST_NOT_ALLOWED",
    "NOT_ACCEPTABLE",
    "MESSAGE_TOO_LARGE",
    "HISTORY_RESET",
    "TOO_BUSY",
    "INTERNAL_FAULT",
    "DATABASE_UNAVAILABLE",
    "SCHEMA_UNKNOWN",
    "CONTENTION",
    "DRAINING",
    "REVISION_NOT_REACHED",
)
WITH_BODY = ("INVALID_JSON", "UNSUPPORTED_MEDIA_TYPE", "ORIGIN_NOT_ALLOWED")
WITH_NAME = ("INVALID_ID",)
CHANGING = (
    "REQUEST_ID_REUSED",
    "REASON_REQUIRED",
    "CHANGE_TOO_LARGE",
    "OUTCOME_UNKNOWN",
    "ORIGIN_NOT_ALLOWED",
)
BROKEN_BY_CONTENT = (
    "INVALID_ID",
    "INVALID_FIELD",
    "INVALID_VALUE",
)
NARROWING = (
    "OVERRIDE_OUT_OF_RANGE",
    "OVERRIDE_OF_OUTPUT",
    "NOT_IN_TEMPLATE",
    "REQUIREMENT_BROKEN",
    "VERSION_DEPRECATED",
    "STILL_A_DRAFT",
    "DEPENDENCY_CYCLE",
    "FORBIDDEN_BY_GUARD",
    "UNIT_IN_MAINTENANCE",
)
"""Of what is made after a template."""


DECLARED_MESSAGES = {
    field.message_type.full_name
    for field in bundle_pb2.BundleItem.DESCRIPTOR.fields
    if field.message_type is not None
}
"""What people declare: whatever call is sent one may refuse its content."""


def reasons_of(route: Route, comments: Comments) -> list[str]:
    """All of them, in the order of the protocol."""
    told = {*ALWAYS, *structural(route)}
    method = comments.of(f"{PACKAGE}.{route.service.name}.{route.method.name}")
    told |= set(WORD.findall(method))
    for message in within(route.request, set()):
        for field in message.fields:
            comment = comments.of(field.full_name)
            told |= set(WORD.findall(comment))
            if NAMED.search(comment):
                told |= set(WITH_NAME)
    if CONTENT in method:
        for resource in resources_of(route):
            told |= set(by_content(resource, comments))
    for field in route.request.fields:
        if field.message_type is not None and field.message_type.full_name in DECLARED_MESSAGES:
            told |= set(by_content(field.message_type, comments))
    if ANY_KIND in method:
        told |= {kind.not_found for kind in DECLARED}
    return [reason for reason in REASONS if reason in told]


def structural(route: Route) -> Iterator[str]:
    """What the form of a route brings with it."""
    fields = route.request.fields_by_name
    if route.body or route.takes_stream:
        yield from WITH_BODY
    if route.template.field:
        yield from WITH_NAME
    if "page_token" in fields:
        yield from ("INVALID_PAGE_TOKEN", "HISTORY_TRIMMED")
    if "as_of" in fields or resumes(route):
        yield "HISTORY_TRIMMED"
    if route.is_mutating:
        yield from CHANGING
    if etag_path(route):
        yield from ("ETAG_REQUIRED", "ETAG_MISMATCH")


def resources_of(route: Route) -> list[Descriptor]:
    """What a call writes: one kind, or any of those that a bundle may have."""
    if route.body != "*":
        return [route.body_message]
    if "name" in route.response.fields_by_name:
        return [route.response]
    fields = bundle_pb2.BundleItem.DESCRIPTOR.fields
    return [each.message_type for each in fields if each.message_type is not None]


def by_content(resource: Descriptor, comments: Comments) -> Iterator[str]:
    """What may be wrong with a resource: its fields, and whatever it refers to."""
    yield from BROKEN_BY_CONTENT
    if "overrides" in resource.fields_by_name:
        yield from NARROWING
    collections = {kind.collection: kind.not_found for kind in DECLARED}
    for descriptor in within(resource, set()):
        for field in descriptor.fields:
            for collection in NAMED.findall(comments.of(field.full_name)):
                if collection in collections and field.name != "name":
                    yield collections[collection]


def within(descriptor: Descriptor, seen: set[str]) -> Iterator[Descriptor]:
    """A message and those within it."""
    if descriptor.full_name in seen or not descriptor.full_name.startswith(PACKAGE):
        return
    seen.add(descriptor.full_name)
    yield descriptor
    for field in descriptor.fields:
        inner = field.message_type
        if inner is not None and not inner.GetOptions().map_entry:
            yield from within(inner, seen)
