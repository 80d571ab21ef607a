"""Values as text here, as JSON there."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping

from mds.v1 import dataset_pb2

from metadata_server.api.chaos.parm import CANNOT_READ
from metadata_server.api.rest.encoding import Json

BASE64 = "$binary"


def finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def whole(text: str) -> int:
    return int(text, 0) if text[:3].lower().lstrip("+-").startswith("0x") else int(text)


def binary(text: str) -> Json:
    return {BASE64: {"base64": text, "subType": "00"}}


READ: Mapping[int, Callable[[str], Json]] = {
    dataset_pb2.VALUE_TYPE_BOOL: json.loads,
    dataset_pb2.VALUE_TYPE_FLOAT: finite,
    dataset_pb2.VALUE_TYPE_DOUBLE: finite,
    dataset_pb2.VALUE_TYPE_STRING: str,
    dataset_pb2.VALUE_TYPE_BYTES: binary,
    dataset_pb2.VALUE_TYPE_JSON: json.loads,
    dataset_pb2.VALUE_TYPE_UNSPECIFIED: json.loads,
}


def json_value(text: str, type: int) -> Json:
    """The value that a text says; one that it does not say in its type stays a text."""
    if text.startswith("[") and type != dataset_pb2.VALUE_TYPE_STRING:
        return document(text)
    try:
        return READ.get(type, whole)(text)
    except CANNOT_READ:
        return text


def document(text: str) -> Json:
    """JSON that a text says, or the text."""
    try:
        return json.loads(text)
    except CANNOT_READ:
        return text


def text_of(value: Json) -> str:
    """A value of JSON as people would write it here."""
    if isinstance(value, dict) and set(value) == {BASE64}:
        inner = value[BASE64]
        return str(inner.get("base64", "") if isinstance(inner, dict) else inner)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def type_of(value: Json) -> dataset_pb2.ValueType.ValueType:
    """The type that a value of JSON has for sure; a whole number may be of any."""
    if isinstance(value, bool):
        return dataset_pb2.VALUE_TYPE_BOOL
    if isinstance(value, float):
        return dataset_pb2.VALUE_TYPE_DOUBLE
    if isinstance(value, str):
        return dataset_pb2.VALUE_TYPE_STRING
    if isinstance(value, dict) and set(value) == {BASE64}:
        return dataset_pb2.VALUE_TYPE_BYTES
    if isinstance(value, dict | list):
        return dataset_pb2.VALUE_TYPE_JSON
    return dataset_pb2.VALUE_TYPE_UNSPECIFIED
