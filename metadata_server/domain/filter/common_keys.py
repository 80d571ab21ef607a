"""Keys that all things which people declare have in common, and how keys are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from metadata_server.domain.filter.key import Fact, Facts, FilterKey, ValueKind
from metadata_server.domain.life.state import WORST_CONTACT_FIRST, Contact

Reader = Callable[[Any], Facts]


def text(name: str, meaning: str, example: str, of: Reader, **more: Any) -> FilterKey:
    return FilterKey(
        name=name, kind=ValueKind.TEXT, meaning=meaning, example=example, of=of, **more
    )


def number(name: str, meaning: str, example: str, of: Reader, **more: Any) -> FilterKey:
    return FilterKey(
        name=name, kind=ValueKind.NUMBER, meaning=meaning, example=example, of=of, **more
    )


def time(name: str, meaning: str, example: str, of: Reader, **more: Any) -> FilterKey:
    return FilterKey(
        name=name, kind=ValueKind.TIME, meaning=meaning, example=example, of=of, **more
    )


def flag(name: str, meaning: str, example: str, of: Reader, **more: Any) -> FilterKey:
    return FilterKey(
        name=name, kind=ValueKind.FLAG, meaning=meaning, example=example, of=of, **more
    )


def word(
    name: str, meaning: str, example: str, words: Iterable[StrEnum | str], of: Reader, **more: Any
) -> FilterKey:
    return FilterKey(
        name=name,
        kind=ValueKind.WORD,
        meaning=meaning,
        example=example,
        words=tuple(map(str, words)),
        of=of,
        **more,
    )


def contact(meaning: str, **more: Any) -> FilterKey:
    """Whether word still comes from what tells of it; lists begin with who is lost."""
    return word(
        "contact",
        meaning,
        "contact=LOST",
        Contact,
        field("contact"),
        ranks=WORST_CONTACT_FIRST,
        **more,
    )


def field(name: str) -> Reader:
    """The value of one field."""
    return lambda subject: (getattr(subject, name),)


def many(name: str) -> Reader:
    """The values of a field that has many, or texts by name."""

    def read(subject: Any) -> Facts:
        found: Facts = getattr(subject, name)
        return found

    return read


def known(value: Fact) -> Iterable[Fact]:
    """A number of which 0 says that there is none."""
    return (value,) if value else ()


def moment(name: str) -> Reader:
    """A time of which 0, or None, says that it is not known, or not yet."""
    return lambda subject: known(getattr(subject, name) or 0)


def by_name(keys: Iterable[FilterKey]) -> Mapping[str, FilterKey]:
    return {key.name: key for key in keys}


def common_keys(declared: Callable[[Any], Any], **more: Any) -> tuple[FilterKey, ...]:
    """The keys of everything that people declare.

    Args:
        declared: gives the resource of a subject.
    """

    def meta(name: str) -> Reader:
        return lambda subject: known(getattr(declared(subject).meta, name))

    ordered = {"is_indexed": True, "is_sortable": True, **more}
    return (
        text("id", "the id", "id:DAFNE/PL/*", lambda subject: (declared(subject).id,), **ordered),
        text("description", "what it is, for people", 'description:"spare magnet"', lambda subject: (declared(subject).description,), **more),
        text("label", "the labels that it has; `label.NAME` is the value of one", "label.section=north", lambda subject: declared(subject).labels, is_many=True, has_names=True, **more),
        text("property", "what the model has no place for, likewise", "property:ndk_heartbeat", lambda subject: declared(subject).properties, is_many=True, has_names=True, **more),
        time("changed", "when it was last changed", "changed<2h", meta("update_time_us"), **ordered),
        time("created", "when it was created", "created>2026-11-01", meta("create_time_us"), **ordered),
        number("revision", "revision of its last change", "revision>1200", meta("revision"), **more),
        number("generation", "how many times it was declared", "generation>1", meta("generation"), **more),
    )  # fmt: skip
