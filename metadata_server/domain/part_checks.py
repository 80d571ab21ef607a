"""What is wrong with the parts that resources are made of: names, references, labels,
properties, attributes, parameters, commands, drivers, overrides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from metadata_server.domain.intent.attribute import (
    FACETS,
    Attribute,
    AttributeOverride,
    Driver,
    Parameter,
)
from metadata_server.domain.intent.facets import Slot, facet_faults
from metadata_server.domain.intent.template import Command
from metadata_server.domain.intent.values import Fault, document
from metadata_server.domain.life.state import DESIRABLE, State
from metadata_server.domain.names import Kind, id_fault
from metadata_server.domain.refused import WrongField

LONGEST_NAME_BYTES = 255
LARGEST_DOCUMENT_BYTES = 4_000_000
LARGEST_VERSION = 999_999_999
LARGEST_COUNT = 2**62
"""Columns and the wire hold more: whatever is counted on from here fits there, too."""
PARAMETER_FACETS = frozenset({"unit", "default_value", "minimum", "maximum"})


def version_faults(version: int, *, path: str = "version") -> Iterator[WrongField]:
    if not 0 <= version <= LARGEST_VERSION:
        expected = f"the number of a version, from 1 to {LARGEST_VERSION}, or 0"
        yield WrongField(path, str(version), expected)


def count_faults(count: int, *, path: str) -> Iterator[WrongField]:
    if not 0 <= count <= LARGEST_COUNT:
        yield WrongField(path, str(count), f"a whole number from 0 to {LARGEST_COUNT}")


def id_faults(id: str) -> Iterator[WrongField]:
    fault = id_fault(id)
    if fault is not None:
        yield WrongField("name", id, fault, "INVALID_ID")


def label_faults(labels: Mapping[str, str]) -> Iterator[WrongField]:
    for name, text in labels.items():
        yield from name_faults(name, path=f"labels[{name}]")
        size = len(text.encode())
        if size > LONGEST_NAME_BYTES:
            expected = f"a word of at most {LONGEST_NAME_BYTES} bytes, not {size}"
            yield WrongField(f"labels[{name}]", text, expected)


def property_faults(
    properties: Mapping[str, str], *, path: str = "properties"
) -> Iterator[WrongField]:
    for name, text in properties.items():
        yield from name_faults(name, path=f"{path}[{name}]")
        found = document(text)
        if isinstance(found, Fault):
            yield WrongField(f"{path}[{name}]", text, found.expected, "INVALID_VALUE")


def name_faults(name: str, *, path: str) -> Iterator[WrongField]:
    """A name that something is found by among its like: any text that is not too long."""
    size = len(name.encode())
    if not 0 < size <= LONGEST_NAME_BYTES:
        yield WrongField(path, name, f"a name of 1 to {LONGEST_NAME_BYTES} bytes, not {size}")


def word_faults(name: str, *, path: str) -> Iterator[WrongField]:
    """A name that programs write: without white space and control characters."""
    size = len(name.encode())
    written = name.isprintable() and " " not in name
    if not (written and 0 < size <= LONGEST_NAME_BYTES):
        expected = f"1 to {LONGEST_NAME_BYTES} bytes without white space and control characters"
        yield WrongField(path, name, expected)


def unique_faults(names: Iterable[str], *, path: str) -> Iterator[WrongField]:
    """Names that have stood before; `path` has a `{}` for their position."""
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        before = first.setdefault(name, position)
        if before != position:
            other = path.format(before)
            yield WrongField(path.format(position), name, f"a name that {other} does not have")


def attribute_faults(attributes: Sequence[Attribute]) -> Iterator[WrongField]:
    yield from unique_faults((each.name for each in attributes), path="attributes[{}].name")
    for position, each in enumerate(attributes):
        path = f"attributes[{position}]"
        yield from word_faults(each.name, path=f"{path}.name")
        slot = Slot(each.name, each.type, each.shape, each.maximum_size_bytes)
        yield from facet_faults(slot, each.facets, path=path)


def parameter_faults(parameters: Sequence[Parameter], *, path: str) -> Iterator[WrongField]:
    yield from unique_faults((each.name for each in parameters), path=f"{path}[{{}}].name")
    for position, each in enumerate(parameters):
        here = f"{path}[{position}]"
        yield from word_faults(each.name, path=f"{here}.name")
        for facet in each.facets.keys() - PARAMETER_FACETS:
            yield WrongField(
                f"{here}.{facet}", each.facets[facet], "absent for a parameter", subject=each.name
            )
        yield from facet_faults(Slot(each.name, each.type), each.facets, path=here)


def command_faults(commands: Sequence[Command]) -> Iterator[WrongField]:
    yield from unique_faults((each.name for each in commands), path="commands[{}].name")
    for position, each in enumerate(commands):
        path = f"commands[{position}]"
        yield from word_faults(each.name, path=f"{path}.name")
        yield from parameter_faults(each.parameters, path=f"{path}.parameters")


def driver_faults(drivers: Sequence[Driver], *, path: str = "drivers") -> Iterator[WrongField]:
    for position, each in enumerate(drivers):
        yield from name_faults(each.name, path=f"{path}[{position}].name")
        for name in each.properties:
            yield from name_faults(name, path=f"{path}[{position}].properties[{name}]")


def override_faults(overrides: Sequence[AttributeOverride]) -> Iterator[WrongField]:
    yield from unique_faults((each.attribute for each in overrides), path="overrides[{}].attribute")
    for position, each in enumerate(overrides):
        yield from word_faults(each.attribute, path=f"overrides[{position}].attribute")
        for facet in each.facets.keys() - set(FACETS):
            expected = f"absent; what can be overridden is {', '.join(FACETS)}"
            yield WrongField(
                f"overrides[{position}].{facet}",
                each.facets[facet],
                expected,
                subject=each.attribute,
            )


def desired_state_faults(state: State) -> Iterator[WrongField]:
    if state not in DESIRABLE:
        expected = "a state that a unit can be ordered into, not an error"
        yield WrongField("desired_state", state, expected)


def reference_faults(id: str, kind: Kind, *, path: str, needed: bool) -> Iterator[WrongField]:
    """An id that names another resource, as far as its spelling goes."""
    if not id and not needed:
        return
    fault = id_fault(id)
    if fault is not None:
        yield WrongField(path, id, f"{kind.collection}/{{id}}, with {fault}", "INVALID_ID")


def size_faults(text: str, *, path: str) -> Iterator[WrongField]:
    size = len(text.encode())
    if size > LARGEST_DOCUMENT_BYTES:
        expected = f"at most {LARGEST_DOCUMENT_BYTES} bytes, not {size}"
        yield WrongField(path, text[:200], expected)
