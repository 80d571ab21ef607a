"""YAML read as the values that JSON has, texts and numbers as they were written.

Read from the parser's events: composing nodes first takes ten times as long.
"""

from collections.abc import Iterator
from functools import lru_cache

import yaml

from control_units.importers.json_text import (
    Broken,
    Number,
    RepeatedKeys,
    Value,
    decode,
    line_and_column,
)

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_NUMBERS = frozenset({f"{_TAG}int", f"{_TAG}float"})
_FLAGS = {"true": True, "false": False}
_RULES = yaml.SafeLoader.yaml_implicit_resolvers
_DEEPEST = 100


class LinedKeys(RepeatedKeys):
    """An object of a YAML file, with the line that each of its keys stands in, from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


def parse_yaml(data: bytes) -> list[Value]:
    """The values of the documents of a YAML file.

    Raises:
        Broken: it is not UTF-8, not YAML, or uses an alias of a list or an object, which this
            format does not need.
    """
    text = decode(data)
    try:
        return list(_documents(yaml.parse(text, Loader=_LOADER)))
    except yaml.MarkedYAMLError as error:
        raise _broken(error) from None
    except yaml.reader.ReaderError as error:
        line, column = line_and_column(text, error.position)
        # libyaml tells the character by its number, the reader in Python by itself.
        number = error.character if isinstance(error.character, int) else ord(error.character)
        found = f"the character U+{number:04X} cannot stand here"
        raise Broken(line, column, found, "YAML, with this character escaped") from None


def _broken(error: yaml.MarkedYAMLError) -> Broken:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    context = f"{error.context}: " if error.context else ""
    return Broken(line, column, f"{context}{error.problem}", "YAML without a fault at this place")


def _documents(events: Iterator[yaml.Event]) -> Iterator[Value]:
    document = _Document()
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            document = _Document()
        elif isinstance(event, yaml.DocumentEndEvent):
            yield document.value
        else:
            document.take(event)


class _Document:
    """What stands in one document, built as it is read."""

    def __init__(self) -> None:
        self.value: Value = None
        self._open: list[list[Value] | LinedKeys] = []
        # The key of each object that is open, where its value is still to come.
        self._keys: list[str | None] = []
        self._scalars: dict[str, Value] = {}
        self._collections: dict[str, yaml.Event] = {}

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin(event, LinedKeys())
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin(event, [])
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self._awaits_key():
            self._key(event.value, event)
            return
        value = _value(event)
        if event.anchor:
            self._scalars[event.anchor] = value
        self._put(value)

    def _begin(self, event: yaml.NodeEvent, value: list[Value] | LinedKeys) -> None:
        if self._awaits_key():
            raise _fault(event, "a key that is a list or an object", "a text as a key")
        if len(self._open) == _DEEPEST:
            raise _fault(event, "it is nested too deeply", f"at most {_DEEPEST} levels")
        if event.anchor:
            self._collections[event.anchor] = event
        self._put(value)
        self._open.append(value)
        self._keys.append(None)

    def _alias(self, event: yaml.AliasEvent) -> None:
        anchor = event.anchor or ""
        anchored = self._collections.get(anchor)
        if anchored is not None:
            # Few aliases can make a file of any size.
            expected = "the value itself, written again"
            raise _fault(anchored, "an alias of what stands here", expected)
        if anchor not in self._scalars:
            expected = "an alias of something above it"
            raise _fault(event, f"an alias of nothing, {anchor!r}", expected)
        value = self._scalars[anchor]
        if self._awaits_key():
            self._key(str(value), event)
        else:
            self._put(value)

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], dict) and self._keys[-1] is None

    def _key(self, key: str, event: yaml.Event) -> None:
        self._keys[-1] = key
        inner = self._open[-1]
        if isinstance(inner, LinedKeys) and key not in inner:
            inner.lines[key] = event.start_mark.line + 1  # type: ignore[union-attr]

    def _put(self, value: Value) -> None:
        if not self._open:
            self.value = value
            return
        inner = self._open[-1]
        if isinstance(inner, list):
            inner.append(value)
            return
        key, self._keys[-1] = self._keys[-1], None
        assert key is not None
        if key in inner:
            inner.repeated = (*inner.repeated, key)
        else:
            inner[key] = value


def _value(event: yaml.ScalarEvent) -> Value:
    text: str = event.value
    if event.style:  # in quotes, or a block
        return text
    tag = _plain_tag(text) if event.implicit[0] else event.tag
    if tag in _NUMBERS:
        return Number(text)
    if tag == f"{_TAG}null":
        return None
    if tag == f"{_TAG}bool":
        return _FLAGS.get(text, text)
    return text


@lru_cache(maxsize=10_000)
def _plain_tag(text: str) -> str | None:
    """What YAML takes a text without quotes for."""
    rules = [*_RULES.get(text[:1], ()), *_RULES.get(None, ())]
    return next((tag for tag, pattern in rules if pattern.match(text)), None)


def _fault(event: yaml.Event, found: str, expected: str) -> Broken:
    mark = event.start_mark
    assert mark is not None  # all events of a parser have one
    return Broken(mark.line + 1, mark.column + 1, found, expected)
