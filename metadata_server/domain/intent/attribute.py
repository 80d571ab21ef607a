"""Attributes, overrides and parameters: typed values kept as the text that people gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Direction(StrEnum):
    """Which way an attribute goes, seen from the control unit."""

    UNSPECIFIED = "UNSPECIFIED"
    INPUT = "INPUT"
    OUTPUT = "OUTPUT"
    BIDIRECTIONAL = "BIDIRECTIONAL"


class ValueType(StrEnum):
    """Type of one value; UNSPECIFIED until a process has published its dataset."""

    UNSPECIFIED = "UNSPECIFIED"
    BOOL = "BOOL"
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    STRING = "STRING"
    BYTES = "BYTES"
    JSON = "JSON"


FACETS = (
    "unit",
    "default_value",
    "minimum",
    "maximum",
    "warning_minimum",
    "warning_maximum",
    "increment",
    "offset",
    "conversion_factor",
    "warning_threshold",
    "error_threshold",
)
"""What templates and overrides can say of an attribute, by the field names of the protocol."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A set-point or a read-back.

    Attributes:
        shape: sizes of its dimensions, outermost first; empty: scalar; 0: any size.
        facets: text by name of `FACETS`; absent means *not set here*.
        maximum_size_bytes: of a string or of bytes; 0: no limit of its own.
    """

    name: str
    direction: Direction = Direction.UNSPECIFIED
    type: ValueType = ValueType.UNSPECIFIED
    shape: tuple[int, ...] = ()
    description: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)
    maximum_size_bytes: int = 0
    mime_type: str = ""


@dataclass(frozen=True, slots=True)
class AttributeOverride:
    """What one control unit changes of an attribute: text by name of `FACETS`."""

    attribute: str
    facets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed setting that is not part of a dataset. `facets` are those of attributes."""

    name: str
    type: ValueType = ValueType.UNSPECIFIED
    description: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)
    required: bool = False


@dataclass(frozen=True, slots=True)
class Driver:
    """How a control unit speaks to its hardware; the init parameter is never interpreted."""

    name: str
    version: str = ""
    init_parameter: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
