"""Filters as people write them: `state=RUNNING template:PowerSupply* -label:archived`.

filter = any
any    = all ("OR" all)*
all    = term ("AND"? term)*
term   = "-" term | "(" any ")" | key operator value ("," value)* | key | word
key    = name | name "." name
"""

from __future__ import annotations

from functools import lru_cache

from metadata_server.domain.filter.expression import (
    EVERYTHING,
    All,
    AnyOf,
    Expression,
    Instant,
    Not,
    Pattern,
    Term,
    Wanted,
)
from metadata_server.domain.filter.faults import invalid_filter, nearest, one_of, quoted
from metadata_server.domain.filter.key import FilterKey, Operator, ValueKind, Vocabulary
from metadata_server.domain.filter.scanner import Found, Piece, Scanner
from metadata_server.domain.filter.values import wanted_of
from metadata_server.domain.filter.vocabulary import VOCABULARIES
from metadata_server.domain.refused import Refused

LONGEST = 4_000
MOST_TERMS = 200
DEEPEST = 20
OF_AN_AGE = {
    Operator.LESS: Operator.GREATER,
    Operator.AT_MOST: Operator.AT_LEAST,
    Operator.GREATER: Operator.LESS,
    Operator.AT_LEAST: Operator.AT_MOST,
}
"""Who asks for less than two hours of age asks for a later time."""
NAMELESS = ('"', "\\")


@lru_cache(maxsize=1024)
def parse_filter(text: str, word: str, field: str = "filter") -> Expression:
    """What a filter says; an empty one is passed by everything.

    Args:
        word: of the kind that it is about, of `VOCABULARIES`.

    Raises:
        Refused: INVALID_FILTER, with the place, what was expected, and what was perhaps meant.
    """
    return Parser(text, VOCABULARIES[word], field).filter()


class Parser:
    """Reads one filter."""

    def __init__(self, text: str, vocabulary: Vocabulary, field: str) -> None:
        self._text = text
        self._vocabulary = vocabulary
        self._field = field
        self._scanner = Scanner(text, field)
        self._terms = 0

    def filter(self) -> Expression:
        if len(self._text) > LONGEST:
            raise self._fault(LONGEST, "it is too long", f"at most {LONGEST} characters")
        if not self._text.strip():
            return EVERYTHING
        found, end = self._any(0)
        if end.piece is not Piece.END:
            raise self._fault(end.start, 'this ")" closes nothing', "one more term, or the end")
        return found

    def _any(self, depth: int) -> tuple[Expression, Found]:
        """What `OR` joins, and the piece after it."""
        parts, end = [], Found(Piece.WORD, "OR", 0, 0)
        while end.piece is Piece.WORD:
            part, end = self._all(depth)
            parts.append(part)
        return (parts[0] if len(parts) == 1 else AnyOf(tuple(parts))), end

    def _all(self, depth: int) -> tuple[Expression, Found]:
        """What blanks join, and the piece after it: the end, a closing parenthesis, or `OR`."""
        parts: list[Expression] = []
        while True:
            piece = self._scanner.term()
            is_or = piece.piece is Piece.WORD and piece.text == "OR"
            if piece.piece in {Piece.END, Piece.CLOSE} or is_or:
                if parts:
                    return (parts[0] if len(parts) == 1 else All(tuple(parts))), piece
                raise self._fault(piece.start, "a term is missing", "a term like state=RUNNING")
            if parts and piece.piece is Piece.WORD and piece.text == "AND":
                piece = self._scanner.term()
            parts.append(self._term(piece, depth))

    def _term(self, piece: Found, depth: int) -> Expression:
        if depth > DEEPEST:
            raise self._fault(piece.start, "it is too deep", f"at most {DEEPEST} parentheses")
        if piece.piece is Piece.MINUS:
            return Not(self._term(self._scanner.term(), depth + 1))
        if piece.piece is Piece.OPEN:
            found, end = self._any(depth + 1)
            if end.piece is not Piece.CLOSE:
                raise self._fault(end.start, 'a ")" is missing', 'a ")"')
            return found
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise self._fault(piece.start, "there are too many terms", f"at most {MOST_TERMS}")
        if piece.piece in {Piece.END, Piece.CLOSE}:
            raise self._fault(piece.start, "a term is missing", "a term like state=RUNNING")
        return self._comparison(piece)

    def _comparison(self, piece: Found) -> Expression:
        scanner, name, sub = self._scanner, piece.text, ""
        head = name.partition(".")[0]
        has_names = self._has_names(head)
        if piece.piece is Piece.WORD and has_names and "." in name:
            name, _, sub = name.partition(".")
            if not sub and scanner.peek() == '"':
                sub = scanner.quoted().text
            self._check_name(sub, piece)
        operator = scanner.operator() if piece.piece is Piece.WORD else None
        if operator is None:
            return self._bare(piece, name, sub)
        key = self._key(name, piece)
        return self._compared(key, operator, sub, piece)

    def _bare(self, piece: Found, name: str, sub: str) -> Expression:
        """A word by itself: a flag, a name that something has, or a part of an id."""
        keys = self._vocabulary.keys
        if piece.piece is Piece.WORD and (key := keys.get(name)) is not None:
            if sub:
                return Term(key, Operator.IS, (), sub, piece.start + 1)
            if key.kind is ValueKind.FLAG:
                return Term(key, Operator.IS, (True,), "", piece.start + 1)
        has_gaps = piece.piece is Piece.WORD and "*" in piece.text
        pattern = Pattern.of(piece.text) if has_gaps else Pattern.within(piece.text)
        identity = keys[self._vocabulary.identity]
        return Term(identity, Operator.HAS, (pattern,), "", piece.start + 1)

    def _compared(self, key: FilterKey, operator: Operator, sub: str, piece: Found) -> Expression:
        if operator not in key.operators:
            place = piece.start + len(piece.text)
            problem = f'{key.name} cannot be compared with "{operator}"'
            raise self._fault(place, problem, one_of(key.operators))
        plain: Operator = Operator.IS if operator is Operator.IS_NOT else operator
        wanted: list[Wanted] = []
        while True:
            value = self._scanner.value()
            wanted += wanted_of(key, plain, value, self._text, self._field, is_named=bool(sub))
            if not self._scanner.comma():
                break
        first = wanted[0]
        if isinstance(first, Instant) and len(wanted) > 1:
            raise self._fault(value.start, "there are two times to compare with", "one time")
        if isinstance(first, Instant) and first.is_age:
            plain = OF_AN_AGE[plain]
        term = Term(key, plain, tuple(wanted), sub, piece.start + 1)
        return Not(term) if operator is Operator.IS_NOT else term

    def _key(self, name: str, piece: Found) -> FilterKey:
        key = self._vocabulary.keys.get(name)
        if key is not None:
            return key
        known = self._vocabulary.names()
        problem = f"there is no key {quoted(name)} for {self._vocabulary.plural}"
        suggestion = nearest(name, known)
        raise self._fault(piece.start, problem, one_of(known), suggestion)

    def _has_names(self, name: str) -> bool:
        key = self._vocabulary.keys.get(name)
        return key is not None and key.has_names

    def _check_name(self, name: str, piece: Found) -> None:
        if not name or any(each in name for each in NAMELESS):
            expected = "a name without quotes and backslashes, like label.section"
            raise self._fault(
                piece.end, f"{piece.text} has no name that can be asked for", expected
            )

    def _fault(self, place: int, problem: str, expected: str, suggestion: str = "") -> Refused:
        return invalid_filter(
            self._text,
            place,
            problem,
            expected=expected,
            suggestion=suggestion,
            field=self._field,
        )
