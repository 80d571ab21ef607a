"""What a kind, a field, a call or a reason is, from the comments of the protocol."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules

import click
import mds.v1
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from control_units.cli.kinds import LISTED, Reads, camel, did_you_mean, kind_of

PACKAGE = "mds.v1"
_SCALARS = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}
_REASONS = f"{PACKAGE}.ErrorReason"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What something is.

    Attributes:
        name: `ControlUnit.level`.
        type: of a field; of anything else what it is.
        told: the comment.
        parts: of a message its fields, of an enum its values: name, type and comment.
    """

    name: str
    type: str
    told: str
    parts: tuple[tuple[str, str, str], ...] = ()

    def fields(self) -> dict[str, object]:
        """For programs."""
        parts = [
            {"name": name, "type": type, "description": told} for name, type, told in self.parts
        ]
        return {"name": self.name, "type": self.type, "description": self.told, "fields": parts}


def is_known(word: str) -> bool:
    """Whether a word begins with what the protocol tells about; else it is an id."""
    head = word.partition(".")[0]
    return "/" not in word and (kind_of(head) is not None or _name_of(head) in comments())


def meaning_of(word: str) -> Meaning:
    """What a word means: `control-unit`, `cu.overrides.minimum`, `State`, `ETAG_MISMATCH`.

    Raises:
        click.UsageError: a field that is none.
    """
    head, *path = word.split(".")
    full = _name_of(head)
    if full.startswith(f"{_REASONS}."):
        return Meaning(head, "reason of a refusal", comments()[full])
    load_all()
    pool = descriptor_pool.Default()
    try:
        found = pool.FindMessageTypeByName(full)
    except KeyError:
        return _of_other(full)
    field: FieldDescriptor | None = None
    for name in path:
        field = _field(found, name, word)
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            inner = inner.fields_by_name["value"].message_type
        found = inner if inner is not None else found
    if field is None:
        kind = kind_of(head)
        return Meaning(found.name, f"kind {kind}" if kind else "message", *_of(found))
    told = comments().get(field.full_name, "")
    if field.enum_type is not None:
        return Meaning(word, type_of(field), told, _values(field.enum_type))
    _, parts = _of(found) if field.message_type is not None else ("", ())
    return Meaning(word, type_of(field), told, parts)


def lines_of(meaning: Meaning) -> Iterator[str]:
    yield click.style(meaning.name, bold=True) + f"  {meaning.type}"
    yield from (f"  {line}" for line in meaning.told.splitlines())
    for name, type, told in meaning.parts:
        yield ""
        yield "  " + click.style(name, bold=True) + (f"  {type}" if type else "")
        yield from (f"      {line}" for line in told.splitlines())


def kinds() -> Iterator[tuple[str, str]]:
    """All kinds that can be listed, each with the first sentence about it."""
    for kind in LISTED:
        told = comments().get(f"{PACKAGE}.{camel(Reads(kind).noun)}", "")
        yield kind, " ".join(told.split()).partition(". ")[0].rstrip(".")


@cache
def comments() -> Mapping[str, str]:
    """The comments of the protocol by full name, as they were when this release was made."""
    found: dict[str, str] = json.loads(
        files(mds.v1).joinpath("comments.json").read_text(encoding="utf-8")
    )
    return found


def load_all() -> None:
    """Brings all of the protocol into the pool of descriptors."""
    for module in iter_modules(mds.v1.__path__):
        if module.name.endswith("_pb2"):
            import_module(f"{PACKAGE}.{module.name}")


def _name_of(head: str) -> str:
    kind = kind_of(head)
    if kind is not None:
        return f"{PACKAGE}.{camel(Reads(kind).noun)}"
    reason = f"{_REASONS}.ERROR_REASON_{head}"
    return next(
        (each for each in (f"{_REASONS}.{head}", reason) if each in comments()), f"{PACKAGE}.{head}"
    )


def _of_other(full: str) -> Meaning:
    """An enum, or a service with its calls."""
    pool = descriptor_pool.Default()
    told = comments().get(full, "")
    name = full.rpartition(".")[2]
    try:
        return Meaning(name, "enum", told, _values(pool.FindEnumTypeByName(full)))
    except KeyError:
        service = pool.FindServiceByName(full)
        calls = tuple(
            (each.name, each.output_type.name, comments().get(each.full_name, ""))
            for each in service.methods
        )
        return Meaning(name, "service", told, calls)


def _of(message: Descriptor) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    told = comments()
    parts = tuple(
        (each.name, type_of(each), told.get(each.full_name, "")) for each in message.fields
    )
    return told.get(message.full_name, ""), parts


def _values(enum: EnumDescriptor) -> tuple[tuple[str, str, str], ...]:
    told = comments()
    return tuple(
        (each.name, "", told.get(f"{enum.full_name}.{each.name}", "")) for each in enum.values
    )


def _field(message: Descriptor, name: str, word: str) -> FieldDescriptor:
    plain = name.replace("-", "_")
    found = message.fields_by_name.get(plain) or message.fields_by_camelcase_name.get(name)
    if found is None:
        known = [each.name for each in message.fields]
        near = did_you_mean(plain, known)
        raise click.UsageError(
            f"{word!r}: {message.name} has no field {name!r}.{near} Fields: {', '.join(known)}."
        )
    return found


def type_of(field: FieldDescriptor) -> str:
    """`string`, `list of Driver`, `map of string to string`, `State`."""
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        key, value = message.fields_by_name["key"], message.fields_by_name["value"]
        return f"map of {_element(key)} to {_element(value)}"
    return f"list of {_element(field)}" if field.is_repeated else _element(field)


def _element(field: FieldDescriptor) -> str:
    named = field.message_type or field.enum_type
    return named.name if named is not None else _SCALARS.get(field.type, "")
