"""A filter in pieces: words, quoted texts, operators and parentheses, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from metadata_server.domain.filter.faults import invalid_filter
from metadata_server.domain.filter.key import Operator

NAME = re.compile(r'[^\s"():=!<>,]+')
VALUE = re.compile(r'[^\s"(),]+')
OPERATOR = re.compile(r"!=|<=|>=|[=:<>]")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
ESCAPED = re.compile(r"\\(.)")


class Piece(Enum):
    """What a piece of a filter is."""

    WORD = auto()
    TEXT = auto()
    """In quotes: no character of it means anything else."""
    OPERATOR = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    MINUS = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """A piece of a filter.

    Attributes:
        text: of a quoted one, what stands between its quotes.
        start, end: of all of it, from 0.
    """

    piece: Piece
    text: str
    start: int
    end: int


class Scanner:
    """Reads a filter from left to right, as its parser asks."""

    def __init__(self, text: str, field: str) -> None:
        self.text = text
        self.place = 0
        self._field = field

    def skip_blanks(self) -> None:
        while self.place < len(self.text) and self.text[self.place].isspace():
            self.place += 1

    def peek(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.place : self.place + 1]

    def term(self) -> Found:
        """The beginning of a term: a name, a quoted text, or a sign."""
        self.skip_blanks()
        signs = {"": Piece.END, "(": Piece.OPEN, ")": Piece.CLOSE, "-": Piece.MINUS}
        if self.peek() in signs:
            return self._take(signs[self.peek()], len(self.peek()))
        if self.peek() == '"':
            return self.quoted()
        return self._match(NAME, Piece.WORD, "the name of a key, or a part of an id")

    def operator(self) -> Operator | None:
        """The operator that follows at once; None: there is none."""
        found = OPERATOR.match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        return Operator(found[0])

    def value(self) -> Found:
        """A value, which follows its operator or a comma at once."""
        if self.peek() == '"':
            return self.quoted()
        return self._match(VALUE, Piece.WORD, 'a value; an empty one is ""')

    def comma(self) -> bool:
        """Whether another value follows; its comma is taken."""
        if self.peek() != ",":
            return False
        self.place += 1
        return True

    def quoted(self) -> Found:
        found = QUOTED.match(self.text, self.place)
        if found is None:
            raise invalid_filter(
                self.text,
                self.place,
                "the quotes that begin here do not end",
                expected='a closing "',
                field=self._field,
            )
        start, self.place = self.place, found.end()
        return Found(Piece.TEXT, ESCAPED.sub(r"\1", found[1]), start, self.place)

    def _match(self, pattern: re.Pattern[str], piece: Piece, expected: str) -> Found:
        found = pattern.match(self.text, self.place)
        if found is None:
            here = self.peek()
            problem = f'there is "{here}"' if here.strip() else "something is missing"
            raise invalid_filter(
                self.text, self.place, problem, expected=expected, field=self._field
            )
        return self._take(piece, len(found[0]))

    def _take(self, piece: Piece, length: int) -> Found:
        start = self.place
        self.place += length
        return Found(piece, self.text[start : self.place], start, self.place)
