"""JSON read without losing anything: numbers keep their text, repeated keys are found, and what
is broken is named by line and column."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from control_units.importers.places import element, member


class Number(str):
    """A JSON number, by its text: `1.50` stays `1.50`."""

    __slots__ = ()


Value: TypeAlias = "dict[str, Value] | list[Value] | str | Number | bool | None"


class RepeatedKeys(dict[str, Value]):
    """An object in which keys stand more than once: it has the first value of each, and
    `repeated` the keys of the others, in order."""

    repeated: Sequence[str] = ()


class Broken(Exception):
    """A text that is not what it should be.

    Attributes:
        line: counted from 1.
        column: in characters, counted from 1.
        found: what is wrong.
        expected: what would be right.
    """

    def __init__(self, line: int, column: int, found: str, expected: str) -> None:
        super().__init__(f"line {line}, column {column}: {found}; right would be {expected}.")
        self.line = line
        self.column = column
        self.found = found
        self.expected = expected


_STRING = r'"(?:[^"\\]|\\.)*"'
_BRACKETS = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_CONSTANTS = re.compile(rf"{_STRING}|-?Infinity|NaN", re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_KINDS = {"[": "list", "{": "object"}


def parse(data: bytes) -> Value:
    """The value of a JSON file.

    Raises:
        Broken: it is not UTF-8, or not JSON.
    """
    text = decode(data)
    try:
        value: Value = json.loads(
            text,
            parse_float=Number,
            parse_int=Number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise _explain(error, text) from None
    except RecursionError:
        raise Broken(1, 1, "it is nested too deeply", "at most some hundred levels") from None
    except _ConstantFound as found:
        raise _place_constant(text, found.constant) from None
    if _SURROGATE.search(text):
        _refuse_half_characters(value, text)
    return value


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        Broken: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        byte = f"the byte 0x{data[error.start]:02x}"
        raise Broken(line, column, f"{byte} is not UTF-8", "a file in UTF-8") from None


def write(value: Value) -> str:
    """JSON text of a value that was read, numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k, ensure_ascii=False)}: {write(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(write, value))}]"
    return json.dumps(value, ensure_ascii=False)


def repeated_keys(value: Value, place: str = "") -> Iterator[tuple[str, str]]:
    """Each key that stands again in an object: its place, and the key."""
    if isinstance(value, dict):
        if isinstance(value, RepeatedKeys):
            for key in value.repeated:
                yield member(place, key), key
        for key, inner in value.items():
            yield from repeated_keys(inner, member(place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from repeated_keys(inner, element(place, index))


class _ConstantFound(Exception):
    def __init__(self, constant: str) -> None:
        super().__init__(constant)
        self.constant = constant


def _refuse_constant(constant: str) -> Value:
    raise _ConstantFound(constant)


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    firsts = RepeatedKeys()
    for key, value in pairs:
        if key in firsts:
            firsts.repeated = (*firsts.repeated, key)
        else:
            firsts[key] = value
    return firsts


def _place_constant(text: str, constant: str) -> Broken:
    start = next(m.start() for m in _CONSTANTS.finditer(text) if m.group() == constant)
    line, column = line_and_column(text, start)
    return Broken(line, column, f"{constant} is not JSON", "a number, a text or null")


def _refuse_half_characters(value: Value, text: str) -> None:
    """Escapes of one half of a character (`\\ud83d` alone) are no text in UTF-8."""
    try:
        write(value).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        line, column = line_and_column(text, max(text.lower().find(half), 0))
        found = f"{half} is half of a character"
        raise Broken(line, column, found, "both halves, or the character itself") from None


def _explain(error: json.JSONDecodeError, text: str) -> Broken:
    """In the file's terms; a text that ends too early names what was never closed."""
    if text[error.pos :].strip():
        return Broken(
            error.lineno,
            error.colno,
            f"{_lowered(error.msg)}, found {text[error.pos : error.pos + 20].split(maxsplit=1)[0]!r}",
            "JSON without a fault at this place",
        )
    if not text.strip():
        return Broken(error.lineno, error.colno, "the file is empty", "a JSON object")
    opened = _never_closed(text)
    if opened is None:
        expected = "JSON that is complete"
        return Broken(error.lineno, error.colno, _lowered(error.msg), expected)
    line, column = line_and_column(text, opened)
    kind = _KINDS[text[opened]]
    closing = "]" if text[opened] == "[" else "}"
    return Broken(
        error.lineno,
        error.colno,
        f"the file ends, but the {kind} opened at line {line}, column {column} is not closed",
        f"a {closing!r} for it, at its end",
    )


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _never_closed(text: str) -> int | None:
    """Where the innermost bracket stands that nothing closes."""
    opened: list[int] = []
    for match in _BRACKETS.finditer(text):
        token = match.group()
        if token in _KINDS:
            opened.append(match.start())
        elif token in {"]", "}"} and opened:
            opened.pop()
    return opened[-1] if opened else None


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """Line and column of a character, counted from 1."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
