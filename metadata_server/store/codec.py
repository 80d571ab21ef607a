"""Resources as JSON text: bodies of rows, and images in the history.

A field that has its default is left out, so that a new field of a later release reads as its
default in what an earlier one wrote.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

encoder = msgspec.json.Encoder()
decoder = msgspec.json.Decoder()
canonical_encoder = msgspec.json.Encoder(order="deterministic")


def defaults_of(type_: type[Any]) -> tuple[tuple[str, Any], ...]:
    """Builtin values that the optional fields of a dataclass have where nobody sets them."""
    if type_ not in known_defaults:
        pairs = []
        for each in fields(type_):
            if each.default is not MISSING:
                pairs.append((each.name, msgspec.to_builtins(each.default)))
            elif each.default_factory is not MISSING:
                pairs.append((each.name, msgspec.to_builtins(each.default_factory())))
        known_defaults[type_] = tuple(pairs)
    return known_defaults[type_]


known_defaults: dict[type[Any], tuple[tuple[str, Any], ...]] = {}


def plain(value: Any) -> dict[str, Any]:
    """A dataclass as builtins, without the fields that have their defaults."""
    found: dict[str, Any] = msgspec.to_builtins(value)
    for name, default in defaults_of(type(value)):
        if found[name] == default:
            del found[name]
    return found


def text_of(data: Mapping[str, Any]) -> str:
    return encoder.encode(data).decode()


def canonical(data: Any) -> bytes:
    """JSON that is the same for equal data, whatever the order of its maps."""
    return canonical_encoder.encode(data)


def data_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = decoder.decode(text)
    return found


def build(type_: type[T], data: Any) -> T:
    """A dataclass, or a tuple of them, from builtins; absent fields have their defaults."""
    if type_ not in learnt_types:
        learn(type_)
    return msgspec.convert(data, type=type_)


learnt_types: set[Any] = set()
learning = threading.Lock()


def learn(type_: Any) -> None:
    """Has msgspec look at a type and at all within it, one thread at a time: it shows what it has
    learnt of a dataclass to other threads before it is complete, and one that uses it then takes
    the process down (seen with msgspec 0.22)."""
    with learning:
        if type_ not in learnt_types:
            msgspec.json.Decoder(type_)
            learnt_types.add(type_)
