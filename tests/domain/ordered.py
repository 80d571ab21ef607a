"""Units with an order, and what their order means, pair by pair."""

from collections.abc import Sequence
from itertools import permutations

from hypothesis import strategies as st

from metadata_server.domain.intent.dependency import covers
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.ordering import Link, Member

IDS = ("A/1", "A/2", "A/B/1", "A/B/2", "C/1", "C/2", "D")
GROUPS = ("A/", "A/B/", "C/", "E/")
STATES = (State.RUNNING, State.STOPPED, State.RECOVERABLE_ERROR)


@st.composite
def facilities(draw: st.DrawFn) -> list[Member]:
    ids = draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1))
    return [draw(members(id)) for id in ids]


def members(id: str) -> st.SearchStrategy[Member]:
    on = st.sampled_from([each for each in (*IDS, *GROUPS) if not covers(each, id)])
    some = st.lists(on, unique=True, max_size=2).map(tuple)
    return st.builds(
        Member,
        id=st.just(id),
        unit_server=st.sampled_from(["S", "T", ""]),
        level=st.sampled_from([0, 0, 0, 1]),
        requires=some,
        after=some,
        state=st.sampled_from(STATES),
        desired=st.sampled_from(STATES[:2]),
    )


def pairs(members: Sequence[Member]) -> set[tuple[str, str, Link]]:
    """What comes before what where units are started."""
    found = set()
    for one, other in permutations(members, 2):
        if one.level < other.level:
            found.add((one.id, other.id, Link.LEVEL))
        if any(covers(on, one.id) for on in other.requires):
            found.add((one.id, other.id, Link.REQUIRES))
        if any(covers(on, one.id) for on in other.after):
            found.add((one.id, other.id, Link.AFTER))
    return found


def reached(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All that comes before all, through any number of others."""
    found = set(edges)
    while more := {(a, d) for a, b in found for c, d in edges if b == c} - found:
        found |= more
    return found


def has_cycle(members: Sequence[Member]) -> bool:
    return any(one == other for one, other in reached({(a, b) for a, b, _ in pairs(members)}))


def without_cycles() -> st.SearchStrategy[list[Member]]:
    return facilities().filter(lambda members: not has_cycle(members))
