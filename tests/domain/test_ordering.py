"""The order of units: levels, dependencies, groups, cycles."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.orchestration.cycle import cycle_of, cycles_of, told
from metadata_server.domain.orchestration.ordering import Link, Member, Tie, order_of, waves
from tests.domain.ordered import facilities, has_cycle, pairs, without_cycles


def ids(members: list[Member], *, descends: bool = False) -> list[list[str]]:
    found = waves(order_of(members, descends=descends))
    return [[each.id for each in wave] for wave in found]


MAGNETS = [
    Member(id="RING/MAG/1", level=1),
    Member(id="RING/MAG/2", level=1, after=("RING/MAG/1",)),
    Member(id="RING/RF/1", level=2, requires=("RING/MAG/", "COOLING")),
    Member(id="COOLING"),
    Member(id="RING/DIA/1", level=2),
]


def test_units_are_started_by_level_and_after_what_they_depend_on() -> None:
    assert ids(MAGNETS) == [
        ["COOLING"],
        ["RING/MAG/1"],
        ["RING/MAG/2"],
        ["RING/DIA/1", "RING/RF/1"],
    ]


def test_units_are_stopped_the_other_way_round() -> None:
    assert ids(MAGNETS, descends=True) == [
        ["RING/DIA/1", "RING/RF/1"],
        ["RING/MAG/2"],
        ["RING/MAG/1"],
        ["COOLING"],
    ]


def test_what_a_unit_waits_for_is_told_as_it_was_declared() -> None:
    ordering = order_of(MAGNETS)
    (rf,) = (place for place, each in enumerate(ordering.members) if each.id == "RING/RF/1")
    assert ordering.waits(rf) == (
        Tie(Link.REQUIRES, "RING/MAG/"),
        Tie(Link.REQUIRES, "COOLING"),
        Tie(Link.LEVEL, "1"),
    )


@given(members=without_cycles(), descends=st.booleans())
def test_waves_hold_every_unit_once_and_every_pair_in_its_order(
    *, members: list[Member], descends: bool
) -> None:
    found = ids(members, descends=descends)
    assert sorted(id for wave in found for id in wave) == sorted(each.id for each in members)
    place = {id: number for number, wave in enumerate(found) for id in wave}
    for one, other, _ in pairs(members):
        first, then = (other, one) if descends else (one, other)
        assert place[first] < place[then]


@given(without_cycles())
def test_no_unit_is_in_a_later_wave_than_it_must_be(members: list[Member]) -> None:
    found = ids(members)
    before = {(one, other) for one, other, _ in pairs(members)}
    for earlier, wave in pairwise(found):
        assert all(any((one, id) in before for one in earlier) for id in wave)


@given(facilities())
def test_a_cycle_is_found_just_where_there_is_one(members: list[Member]) -> None:
    assert bool(cycle_of(members)) == has_cycle(members)


@given(facilities().filter(has_cycle))
def test_each_unit_of_a_cycle_does_wait_for_the_next(members: list[Member]) -> None:
    cycle = cycle_of(members)
    before = {(one, other) for one, other, _ in pairs(members)}
    assert len({turn.id for turn in cycle}) == len(cycle)
    for turn, following in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
        assert (following.id, turn.id) in before


@given(facilities())
def test_cycles_have_no_unit_in_common_and_leave_none(members: list[Member]) -> None:
    on_cycles = [turn.id for cycle in cycles_of(members, most=9) for turn in cycle]
    assert len(set(on_cycles)) == len(on_cycles)
    assert not has_cycle([each for each in members if each.id not in on_cycles])
    assert len(cycles_of(members, most=1)) == has_cycle(members)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            [Member(id="A/1", requires=("B/",)), Member(id="B/1", after=("A/1",))],
            "A/1 requires B/ (B/1), B/1 comes after A/1",
        ),
        (
            [Member(id="B", level=1), Member(id="A", requires=("B",))],
            "A requires B, B comes after level 0 (A)",
        ),
        ([Member(id="A"), Member(id="B", requires=("A",))], ""),
    ],
)
def test_a_cycle_is_told_in_its_order(members: list[Member], expected: str) -> None:
    assert told(cycle_of(members)) == expected


def test_an_order_costs_as_much_a_unit_however_many_there_are() -> None:
    def facility(size: int) -> list[Member]:
        return [
            Member(
                id=f"Z{number % 10}/U{number}",
                level=number % 10,
                requires=(f"Z{number % 10 - 1}/",) if number % 10 else (),
            )
            for number in range(size)
        ]

    small, large = (order_of(facility(size)) for size in (1_000, 10_000))
    links = [sum(map(len, each.before)) / len(each.members) for each in (small, large)]
    assert links[1] < links[0] * 1.1
    begun = time.process_time()
    assert [len(wave) for wave in waves(large)] == [1_000] * 10
    assert time.process_time() - begun < 2
