"""What a control unit depends on: other units by their ids, or groups of units.

A group is written as the beginning of its units' ids, with the slash: `RING/MAG/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from metadata_server.domain.names import Kind, id_fault
from metadata_server.domain.part_checks import unique_faults
from metadata_server.domain.refused import WrongField


def is_group(dependency: str) -> bool:
    return dependency.endswith("/")


def covers(dependency: str, id: str) -> bool:
    """Whether a unit is the one, or of the group, that is depended on."""
    return id.startswith(dependency) if is_group(dependency) else id == dependency


def groups_of(id: str) -> Iterator[str]:
    """All groups that a unit is of, the widest first: `A/`, `A/B/` for `A/B/C`."""
    end = id.find("/")
    while end >= 0:
        yield id[: end + 1]
        end = id.find("/", end + 1)


def renamed(ids: Sequence[str], new_ids: Mapping[str, str]) -> tuple[str, ...]:
    """Ids and groups with other ids for some of them, each once, in their order."""
    return tuple(dict.fromkeys(new_ids.get(each, each) for each in ids))


def dependency_faults(id: str, dependencies: Sequence[str], *, path: str) -> Iterator[WrongField]:
    """What is wrong with what a unit of this id says that it depends on."""
    yield from unique_faults(dependencies, path=f"{path}[{{}}]")
    for position, each in enumerate(dependencies):
        where = f"{path}[{position}]"
        fault = id_fault(each.removesuffix("/"))
        if fault is not None:
            collection = Kind.CONTROL_UNIT.collection
            expected = f"{collection}/{{id}}, or {collection}/{{group}}/, with {fault}"
            yield WrongField(where, each, expected, "INVALID_ID")
        elif covers(each, id):
            what = "a group that it is not of itself" if is_group(each) else "another unit"
            yield WrongField(where, each, what)
