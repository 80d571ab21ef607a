"""Path templates of `google.api.http`, matched on the raw path.

Ids have slashes and colons, so the path is taken apart before anything in it is decoded: a verb
is what follows the last raw colon, and an id's own colon is `%3A`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from metadata_server.domain.refused import Refused, WrongField

WRITTEN = re.compile(
    r"(?P<before>(?:/[a-z0-9_]+)*)"
    r"(?:/\{(?P<field>[a-z0-9_.]+)(?:=(?P<pattern>[^{}]*))?\})?"
    r"(?P<after>(?:/[a-z0-9_]+)*)"
    r"(?::(?P<verb>[A-Za-z]+))?"
)


class Path(NamedTuple):
    """A raw path taken apart: `/v1/control_units/A/B:start`."""

    segments: tuple[str, ...]
    verb: str

    @classmethod
    def of(cls, raw: str) -> Path:
        head, slash, last = raw.rpartition("/")
        last, _, verb = last.rpartition(":") if ":" in last else (last, "", "")
        return cls(tuple(f"{head}{slash}{last}".split("/")[1:]), verb)

    @property
    def collection(self) -> str:
        """The first segment after the version of the protocol."""
        return self.segments[1] if len(self.segments) > 1 else ""


@dataclass(frozen=True, slots=True)
class Template:
    """One template: `/v1/{name=control_units/**}:start`, `/v1/{operation=operations/*}/steps`.

    Attributes:
        text: as the protocol has it.
        before: literal segments up to what varies, the head of the variable's pattern included.
        field: path of the field that the variable fills; empty: nothing varies.
        head: literal segments of the pattern, which belong to the value (`control_units`).
        is_deep: whether an id with slashes fits (`**`).
        after: literal segments behind the variable.
        verb: what follows the colon; empty: none.
    """

    text: str
    before: tuple[str, ...]
    field: str
    head: tuple[str, ...]
    is_deep: bool
    after: tuple[str, ...]
    verb: str

    @classmethod
    def of(cls, text: str) -> Template:
        """Reads a template.

        Raises:
            ValueError: it is not of the form that this protocol uses.
        """
        match = WRITTEN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no template of this protocol")
        pattern = (match["pattern"] or "*").split("/") if match["field"] else [""]
        if match["field"] and pattern[-1] not in {"*", "**"}:
            raise ValueError(f"{text!r}: a variable ends with * or **")
        head = tuple(pattern[:-1])
        return cls(
            text=text,
            before=(*split(match["before"]), *head),
            field=match["field"] or "",
            head=head,
            is_deep=pattern[-1] == "**",
            after=split(match["after"]),
            verb=match["verb"] or "",
        )

    @property
    def collection(self) -> str:
        return self.before[1]

    def match(self, path: Path) -> str | None:
        """The raw value of the variable (`control_units/A/B`, without its head where it has
        none; empty where nothing varies), or None: it is another path."""
        start, end = len(self.before), len(path.segments) - len(self.after)
        if path.verb != self.verb or path.segments[:start] != self.before or end < start:
            return None
        if path.segments[end:] != self.after:
            return None
        varying = path.segments[start:end]
        if not self.field:
            return None if varying else ""
        if not any(varying) or (len(varying) > 1 and not self.is_deep):
            return None
        return "/".join((*self.head, *varying))


def split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split("/")))


def decoded(raw: str, field: str) -> str:
    """A raw value as text.

    Raises:
        Refused: INVALID_FIELD, for what is not UTF-8.
    """
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Refused.wrong_fields(
            [WrongField(field, raw, "UTF-8 text, percent-encoded")]
        ) from None
