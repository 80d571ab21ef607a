"""Values of attributes: from the text that people gave, and checked against type and range."""

import base64
import json
import math
import operator
import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from control_units.faults import OutOfRange, WrongType
from control_units.sendable import sendable

_WHOLE = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)", re.ASCII)
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_LARGEST_FLOAT = 3.4028235677973366e38  # above it, rounding to 32 bits gives infinity


class ValueType(IntEnum):
    """`mds.v1.ValueType`, number for number, for code that need not know the wire."""

    UNSPECIFIED = 0
    BOOL = 1
    INT8 = 2
    INT16 = 3
    INT32 = 4
    INT64 = 5
    UINT8 = 6
    UINT16 = 7
    UINT32 = 8
    UINT64 = 9
    FLOAT = 10
    DOUBLE = 11
    STRING = 12
    BYTES = 13
    JSON = 14

    @property
    def is_whole(self) -> bool:
        return ValueType.INT8 <= self <= ValueType.UINT64

    @property
    def is_real(self) -> bool:
        return self in {ValueType.FLOAT, ValueType.DOUBLE}


PYTHON_TYPES: dict[object, ValueType] = {
    bool: ValueType.BOOL,
    int: ValueType.INT64,
    float: ValueType.DOUBLE,
    str: ValueType.STRING,
    bytes: ValueType.BYTES,
    dict: ValueType.JSON,
    list: ValueType.JSON,
}


def whole_range(type: ValueType) -> tuple[int, int]:
    """Smallest and largest value of a type of whole numbers."""
    signed = type <= ValueType.INT64
    bits = 8 << (type - (ValueType.INT8 if signed else ValueType.UINT8))
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def parse(text: str, type: ValueType, shape: Sequence[int] = ()) -> Any:
    """The value that a text of the protocol stands for; an array is a JSON list.

    Raises:
        WrongType: it is no value of this type; the message says what would be.
    """
    if not shape:
        return _parse_scalar(text, type)
    try:
        elements = json.loads(text)
    except ValueError as error:
        raise WrongType(f"{_shown(text)} is no JSON list: {error}.") from error
    return _parse_elements(elements, type, len(shape))


def _parse_elements(elements: object, type: ValueType, depth: int) -> Any:
    if depth and isinstance(elements, list):
        return [_parse_elements(each, type, depth - 1) for each in elements]
    is_text = isinstance(elements, str) and type is not ValueType.JSON
    return _parse_scalar(str(elements), type) if is_text else elements


def _parse_scalar(text: str, type: ValueType) -> Any:
    try:
        if type.is_whole:
            return _number(text)
        if type.is_real:
            return float(text if _REAL.fullmatch(text) else _number(text))
        if type is ValueType.BOOL:
            return _BOOLEANS[text]
        if type is ValueType.BYTES:
            return base64.b64decode(text, validate=True)
        if type is ValueType.JSON:
            return json.loads(text)
    except (KeyError, ValueError, OverflowError) as error:
        raise WrongType(f"{_shown(text)} is no {type.name}.") from error
    return text


def _number(text: str) -> int:
    """A whole number, decimal or hexadecimal.

    Raises:
        ValueError: it is none.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text, 16 if "x" in text.lower() else 10)


def written(value: object, type: ValueType) -> str:
    """The text of a value that code gave for a description: texts stay as they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, bool) or type is ValueType.JSON or isinstance(value, list | tuple | dict):
        return json.dumps(value)
    return repr(value)


def text_of(value: object, type: ValueType, shape: Sequence[int] = ()) -> str:
    """The text by which a value travels: what `parse` reads as this value again, but for what no
    text that is sent can hold."""
    if shape or type is ValueType.JSON:
        return sendable(json.dumps(value, default=_base64, ensure_ascii=False, sort_keys=True))
    if isinstance(value, bytes):
        return _base64(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return sendable(str(value))


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def checked(
    value: object, type: ValueType, shape: Sequence[int] = (), *, maximum_size_bytes: int = 0
) -> Any:
    """The value as its type holds it: an `int` for a DOUBLE becomes a `float`.

    Args:
        shape: sizes of its dimensions, outermost first; 0: any size.
        maximum_size_bytes: of each text or bytes; 0: no limit.

    Raises:
        WrongType: it is no value of this type and shape.
        OutOfRange: the type cannot hold it, or it is too large.
    """
    if shape:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise WrongType(f"{_shown(value)} is no list; its shape should be {_sizes(shape)}.")
        if shape[0] not in {0, len(value)}:
            raise WrongType(
                f"A list of {len(value)} was given; its shape should be {_sizes(shape)}."
            )
        return [
            checked(each, type, shape[1:], maximum_size_bytes=maximum_size_bytes) for each in value
        ]
    found = _checked_scalar(value, type)
    if maximum_size_bytes and isinstance(found, str | bytes):
        size = len(sendable(found).encode() if isinstance(found, str) else found)
        if size > maximum_size_bytes:
            raise OutOfRange(f"{size} bytes were given; at most {maximum_size_bytes} are allowed.")
    return found


def _checked_scalar(value: object, type: ValueType) -> Any:
    if type.is_whole and not isinstance(value, bool | str):
        return _checked_whole(value, type)
    if type.is_real and not isinstance(value, bool | str | bytes):
        return _checked_real(value, type)
    if type is ValueType.BOOL and isinstance(value, bool):
        return value
    if type is ValueType.STRING and isinstance(value, str):
        return value
    if type is ValueType.BYTES and isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if type is ValueType.JSON:
        try:
            json.dumps(value, sort_keys=True)  # as `text_of` does: not all keys can be sorted
        except (TypeError, ValueError, RecursionError) as error:
            raise WrongType(f"{_shown(value)} cannot be written as JSON: {error}.") from error
        return value
    if type is ValueType.UNSPECIFIED:
        return value
    raise _no_value_of(value, type)


def _checked_whole(value: object, type: ValueType) -> int:
    try:
        found = operator.index(value)  # type: ignore[arg-type]  # it says itself if it is none
    except TypeError:
        raise _no_value_of(value, type) from None
    smallest, largest = whole_range(type)
    if not smallest <= found <= largest:
        raise OutOfRange(
            f"{found} does not fit {type.name}, which goes from {smallest} to {largest}."
        )
    return found


def _checked_real(value: object, type: ValueType) -> float:
    try:
        found = float(value)  # type: ignore[arg-type]  # it says itself if it is none
    except (TypeError, ValueError):
        raise _no_value_of(value, type) from None
    except OverflowError:
        raise OutOfRange(f"{_shown(value)} does not fit {type.name}.") from None
    if type is ValueType.FLOAT and math.isfinite(found) and abs(found) >= _LARGEST_FLOAT:
        raise OutOfRange(f"{found} does not fit FLOAT, which ends at ±3.4e38.")
    return found


def check_range(value: Any, minimum: Any, maximum: Any) -> None:
    """Checks each number in a value; a bound of None is none.

    Raises:
        OutOfRange: one lies outside; a NaN lies outside of any bound.
    """
    if minimum is None and maximum is None:
        return
    if isinstance(value, list):
        for each in value:
            check_range(each, minimum, maximum)
        return
    is_inside = (minimum is None or value >= minimum) and (maximum is None or value <= maximum)
    if not is_inside:
        raise OutOfRange(f"{value!r} was given; it should be {_bounds(minimum, maximum)}.")


def _bounds(minimum: object, maximum: object) -> str:
    if maximum is None:
        return f"at least {minimum!r}"
    return f"at most {maximum!r}" if minimum is None else f"from {minimum!r} to {maximum!r}"


def _no_value_of(value: object, type: ValueType) -> WrongType:
    return WrongType(f"{_shown(value)} is no {type.name}.")


def _sizes(shape: Sequence[int]) -> str:
    return " × ".join(str(size) if size else "any" for size in shape)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
