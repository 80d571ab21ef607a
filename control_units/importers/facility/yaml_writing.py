"""Plain values as YAML, always the same bytes for the same values.

What could be read as something else than text, by any YAML reader, is quoted; a text of
several lines is a literal block.
"""

import json
import re
from collections.abc import Iterator

from control_units.importers.facility.encoding import Plain

_PLAIN = re.compile(
    r"[A-Za-z/](?:[A-Za-z0-9_/.,()+@-]|:(?=[A-Za-z0-9_/.+@:-])|[ ](?=[A-Za-z0-9_/(]))*\Z"
)
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"})
"""What some reader of YAML takes for a flag, for nothing or for a number."""

# Characters that YAML does not take as they are, or that break a line for some readers.
_SPECIAL = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def write_yaml(value: dict[str, Plain]) -> str:
    """A YAML document."""
    return "".join(f"{line}\n" for line in _mapping(value, "")) if value else "{}\n"


def _mapping(value: dict[str, Plain], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        yield from _pair(f"{indent}{_key(key)}:", inner, indent)


def _pair(start: str, value: Plain, indent: str) -> Iterator[str]:
    """A key with its value; `indent` is that of the key."""
    if isinstance(value, dict):
        yield start if value else f"{start} {{}}"
        yield from _mapping(value, f"{indent}  ")
    elif isinstance(value, list):
        yield start if value else f"{start} []"
        for each in value:
            yield from _element(each, indent)
    elif isinstance(value, str) and _is_block(value):
        yield from _block(start, value, f"{indent}  ")
    else:
        yield f"{start} {_scalar(value)}"


def _element(value: Plain, indent: str) -> Iterator[str]:
    """An element of a list; its dash stands under the list's key."""
    if isinstance(value, dict) and value:
        lines = _mapping(value, f"{indent}  ")
        yield f"{indent}- {next(lines)[len(indent) + 2 :]}"
        yield from lines
    else:
        yield f"{indent}- {_scalar(value)}"


def _scalar(value: Plain) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    return "{}" if isinstance(value, dict) else f"[{', '.join(map(_scalar, value))}]"


def _text(text: str) -> str:
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    if "\n" in text or "\t" in text or _SPECIAL.search(text):
        return _double_quoted(text)
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def _key(key: str) -> str:
    is_plain = _PLAIN_KEY.match(key) and key.lower() not in _WORDS
    return key if is_plain else _double_quoted(key)


def _double_quoted(text: str) -> str:
    """JSON's quoting is YAML's, but for characters that YAML wants escaped, too."""
    return _SPECIAL.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _is_block(text: str) -> bool:
    """Whether it is lines of text; line breaks alone are none."""
    return "\n" in text and bool(text.strip()) and not _SPECIAL.search(text)


def _block(start: str, text: str, indent: str) -> Iterator[str]:
    """A literal block. Where it begins with white space, how far it is indented must be said."""
    hint = "2" if text[0] in " \t\n" else ""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    chomping = "-" if ends == 0 else "" if ends == 1 else "+"
    yield f"{start} |{hint}{chomping}"
    for line in body.split("\n"):
        yield f"{indent}{line}" if line else ""
    for _ in range(ends - 1):
        yield ""
