"""Ranges, from the constants that the server itself checks with."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from metadata_server.api.request_ids import MAXIMUM_REQUEST_ID, PRINTABLE
from metadata_server.domain import names
from metadata_server.domain.deliveries.webhook import LONGEST_URL
from metadata_server.domain.filter.parser import LONGEST as LONGEST_FILTER
from metadata_server.domain.names import DECLARED, MAXIMUM_ID_BYTES
from metadata_server.domain.orchestration.campaign import MOST_UNITS
from metadata_server.domain.orchestration.operation import MOST_AT_ONCE, MOST_ATTEMPTS
from metadata_server.domain.page import DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE, MAXIMUM_TOKEN

Schema = dict[str, Any]
SEGMENT = names.SEGMENT.pattern.removesuffix(r"\Z")
REQUEST_ID_TEXT: Schema = {"maxLength": MAXIMUM_REQUEST_ID, "pattern": f"^{PRINTABLE.pattern}$"}

BY_NAME: dict[str, Schema] = {
    "page_size": {"minimum": 0, "default": DEFAULT_PAGE_SIZE, "x-at-most": MAXIMUM_PAGE_SIZE},
    "page_token": {"maxLength": MAXIMUM_TOKEN},
    "request_id": REQUEST_ID_TEXT,
    "filter": {"maxLength": LONGEST_FILTER},
    "order_by": {"maxLength": LONGEST_FILTER},
}
"""Of fields that are the same in all requests. Larger pages than go are not refused: they are as
large as they go."""

BY_FULL_NAME: dict[str, Schema] = {
    "mds.v1.Operation.at_once": {"minimum": 0, "maximum": MOST_AT_ONCE},
    "mds.v1.Operation.at_once_per_unit_server": {"minimum": 0, "maximum": MOST_AT_ONCE},
    "mds.v1.Operation.most_attempts": {"minimum": 0, "maximum": MOST_ATTEMPTS},
    "mds.v1.Campaign.target_units": {"minimum": 0, "maximum": MOST_UNITS},
    "mds.v1.Webhook.url": {"maxLength": LONGEST_URL},
}

UNITS = {"us": "µs", "ms": "ms", "s": "s", "hz": "Hz", "bytes": "B"}
"""By what the name of a number ends with."""


def limits_of(field: FieldDescriptor) -> Schema:
    """What is known of a field beside its type."""
    found = dict(BY_FULL_NAME.get(field.full_name, {}))
    assert field.containing_type is not None
    if field.containing_type.name.endswith("Request"):
        found |= BY_NAME.get(field.name, {})
    unit = UNITS.get(field.name.rpartition("_")[2]) if "_" in field.name else None
    if unit and field.cpp_type in NUMBERS:
        found["x-unit"] = unit
    return found


NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
    FieldDescriptor.CPPTYPE_DOUBLE,
}


def id_schema(*, is_free: bool, is_deep: bool) -> Schema:
    """An id as it stands in a path.

    Args:
        is_free: it is the id of no resource, but any text.
    """
    if is_free:
        return {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}
    pattern = f"^{SEGMENT}(/{SEGMENT})*$" if is_deep else f"^{SEGMENT}$"
    return {"type": "string", "minLength": 1, "maxLength": MAXIMUM_ID_BYTES, "pattern": pattern}


def name_pattern(message_name: str) -> Schema:
    """Of the name of a declared resource: its collection, and an id."""
    for kind in DECLARED:
        if kind.value.replace("_", "") == message_name.lower():
            return {"pattern": f"^{kind.collection}/{SEGMENT}(/{SEGMENT})*$"}
    return {}
