"""Texts that people gave, read as values of a type: exactly, never through binary fractions."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TypeAlias

from metadata_server.domain.intent.attribute import ValueType

Value: TypeAlias = bool | int | Decimal | str | bytes | list["Value"] | dict[str, "Value"] | None

LONGEST_NUMBER = 1_100
"""Characters; enough for any double written out in full."""
DEEPEST = 100
"""Lists and objects within one another: who reads them may do so one within the other."""
TOO_DEEP = "JSON that is nested less deeply"

WHOLE = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|([0-9]+))\Z")
REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?\Z")
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

WHOLE_RANGES = {
    ValueType[f"{'' if signed else 'U'}INT{bits}"]: (
        (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    )
    for bits in (8, 16, 32, 64)
    for signed in (True, False)
}
"""Smallest and largest value of each type of whole numbers."""

REALS = frozenset({ValueType.FLOAT, ValueType.DOUBLE})
ORDERED = frozenset(WHOLE_RANGES) | REALS | {ValueType.BOOL}
"""Types whose values have a smaller and a larger."""


TEXTS = frozenset({ValueType.STRING, ValueType.BYTES})


@dataclass(frozen=True, slots=True)
class Fault:
    """That a text is no value of its type, and what would be right instead."""

    expected: str


Reader: TypeAlias = Callable[[str], Value | Fault]


class Numeral(str):
    """A number in a JSON text, in the spelling that it had there."""

    __slots__ = ()


def parse(
    text: str, type: ValueType, *, shape: tuple[int, ...] | None = (), maximum_size_bytes: int = 0
) -> Value | Fault:
    """The value that a text stands for.

    Args:
        shape: sizes of the dimensions; 0: any size; empty: a scalar; None: whatever it has.
        maximum_size_bytes: of each string or bytes; 0: no limit.
    """
    read = partial(scalar, type=type, maximum_size_bytes=maximum_size_bytes)
    if type is ValueType.UNSPECIFIED:
        return text
    if shape is None and (type in {ValueType.STRING, ValueType.JSON} or text[:1] != "["):
        return read(text)
    return read(text) if shape == () else array(text, read, shape=shape, type=type)


def scalar(text: str, *, type: ValueType, maximum_size_bytes: int = 0) -> Value | Fault:
    if type in WHOLE_RANGES:
        return whole(text, *WHOLE_RANGES[type])
    if type in REALS:
        return real(text, single=type is ValueType.FLOAT)
    if type is ValueType.BOOL:
        found = BOOLEANS.get(text)
        return Fault("true or false") if found is None else found
    if type is ValueType.JSON:
        return document(text)
    if type is ValueType.BYTES:
        return octets(text, maximum_size_bytes)
    return string(text, maximum_size_bytes)


def whole(text: str, smallest: int, largest: int) -> int | Fault:
    """A whole number, decimal or hexadecimal (`0x5A`)."""
    match = WHOLE.match(text) if len(text) <= LONGEST_NUMBER else None
    if match is not None:
        sign, hexadecimal, decimal = match.groups()
        size = int(hexadecimal, 16) if hexadecimal else int(decimal)
        found = -size if sign == "-" else size
        if smallest <= found <= largest:
            return found
    return Fault(f"a whole number from {smallest} to {largest}, decimal or 0x…")


def real(text: str, *, single: bool) -> Decimal | Fault:
    """A number, kept as the decimal fraction it is, that a float or a double can come near."""
    found = number(text)
    if found is None:
        return Fault("a number such as 1.5, -2e-3 or 0x5A")
    if not fits(found, single=single):
        return Fault(f"a number that {'32' if single else '64'} bits can hold")
    return Decimal(found)


def number(text: str) -> int | Decimal | None:
    """What a text is as a number, exactly; None: it is none."""
    if len(text) > LONGEST_NUMBER:
        return None
    if REAL.match(text):
        try:
            return Decimal(text)
        except InvalidOperation:
            return None
    match = WHOLE.match(text)
    return int(text, 16) if match is not None and match[2] else None


def fits(found: int | Decimal, *, single: bool) -> bool:
    """Whether a number, rounded to binary, is still finite."""
    try:
        nearest = float(found)
        if single:
            struct.pack("<f", nearest)
    except OverflowError:
        return False
    return math.isfinite(nearest)


def octets(text: str, maximum_size_bytes: int) -> bytes | Fault:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return Fault("bytes written as base64")
    return too_large(len(found), maximum_size_bytes) or found


def string(text: str, maximum_size_bytes: int) -> str | Fault:
    return too_large(len(text.encode(errors="surrogatepass")), maximum_size_bytes) or text


def too_large(size: int, maximum: int) -> Fault | None:
    return Fault(f"at most {maximum} bytes, not {size}") if 0 < maximum < size else None


def document(text: str) -> Value | Fault:
    """A JSON document, its fractions exact."""
    return decoded(text, json.JSONDecoder(parse_float=Decimal, parse_constant=not_json))


def not_json(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def decoded(text: str, decoder: json.JSONDecoder) -> Value | Fault:
    try:
        found: Value = decoder.decode(text)
    except json.JSONDecodeError as error:
        return Fault(f"JSON; {error.msg} at line {error.lineno}, column {error.colno}")
    except (ValueError, InvalidOperation) as error:
        return Fault(f"JSON; {error}")
    except RecursionError:
        return Fault(TOO_DEEP)
    may_be_deep = text.count("[") + text.count("{") > DEEPEST
    return Fault(TOO_DEEP) if may_be_deep and is_too_deep(found) else found


def is_too_deep(value: Value) -> bool:
    """Level by level, as what looks within itself would go too deep."""
    level = [value]
    for _ in range(DEEPEST):
        inner = (each for outer in level for each in members(outer))
        level = [each for each in inner if isinstance(each, list | dict)]
    return any(isinstance(each, list | dict) for each in level)


def members(value: Value) -> Iterable[Value]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def array(
    text: str, read: Reader, *, shape: tuple[int, ...] | None, type: ValueType
) -> list[Value] | Fault:
    """A JSON list of elements, each written as JSON or as text."""
    found = decoded(
        text,
        json.JSONDecoder(parse_float=Numeral, parse_int=Numeral, parse_constant=not_json),
    )
    if isinstance(found, Fault):
        return found
    if not isinstance(found, list):
        return Fault(f"a JSON list of {shape_words(shape)}")
    return elements(found, read, shape=shape, type=type)


def elements(
    found: list[Value], read: Reader, *, shape: tuple[int, ...] | None, type: ValueType
) -> list[Value] | Fault:
    """One dimension of an array, and what is below."""
    if shape and shape[0] not in {0, len(found)}:
        return Fault(f"a JSON list of {shape_words(shape)}, not of {len(found)}")
    values: list[Value] = []
    for index, each in enumerate(found):
        value = element(each, read, shape=None if shape is None else shape[1:], type=type)
        if isinstance(value, Fault):
            return Fault(f"in element {index}: {value.expected}")
        values.append(value)
    return values


def element(
    found: Value, read: Reader, *, shape: tuple[int, ...] | None, type: ValueType
) -> Value | Fault:
    if shape or (shape is None and isinstance(found, list)):
        if isinstance(found, list):
            return elements(found, read, shape=shape, type=type)
        return Fault(f"a JSON list of {shape_words(shape)}")
    if type is ValueType.JSON:
        return found
    if isinstance(found, bool):
        return (
            found if type is ValueType.BOOL else Fault(f"a value of type {type}, not true or false")
        )
    if isinstance(found, Numeral) and type in TEXTS:
        return Fault(f"a value of type {type} in quotation marks")
    return read(found) if isinstance(found, str) else Fault(f"a value of type {type}")


def shape_words(shape: tuple[int, ...] | None) -> str:
    """`4 × any`."""
    return " × ".join(str(size) if size else "any" for size in shape or (0,))


def numbers(value: Value) -> Iterator[int | Decimal]:
    """The numbers in a value of an ordered type."""
    if isinstance(value, list):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, int | Decimal):
        yield value
