"""What an order would do: what is there, what is blocked, who is hit."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.intent.dependency import covers
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.order_plan import (
    DESCENDING,
    Blockage,
    Verb,
    blast_radius,
    plan_order,
)
from metadata_server.domain.orchestration.ordering import Link, Member, order_of
from metadata_server.domain.refused import Refused
from tests.domain.ordered import facilities, pairs, reached, without_cycles

R, S = State.RUNNING, State.STOPPED
BLOCKED = "is blocked itself"


def acted_on(*members: Member, verb: Verb = Verb.START) -> list[str]:
    return [each.id for each in plan_order(verb, members).ordering.members]


def test_what_is_where_it_shall_be_and_wanted_there_is_left_alone() -> None:
    members = [
        Member(id="A", state=R, desired=R),
        Member(id="B", state=R, desired=S),
        Member(id="C", state=S, desired=R),
    ]
    plan = plan_order(Verb.START, members)
    assert (plan.there, [each.id for each in plan.ordering.members]) == (("A",), ["B", "C"])


def test_only_what_has_failed_is_recovered() -> None:
    failed = Member(id="B", state=State.RECOVERABLE_ERROR, desired=R)
    assert acted_on(Member(id="A", state=S, desired=R), failed, verb=Verb.RECOVER) == ["B"]


def test_a_start_is_blocked_by_what_is_required_and_does_not_run() -> None:
    chosen = [
        Member(id="A", requires=("X",)),
        Member(id="B", requires=("Y",)),
        Member(id="C", requires=("Z/", "R/")),
        Member(id="D", requires=("E/",)),
        Member(id="F", requires=("C",)),
        Member(id="G", requires=("R/", "H"), after=("A", "X")),
        Member(id="H"),
    ]
    others = [
        Member(id="X", state=S),
        Member(id="Z/1", state=R),
        Member(id="Z/2", state=State.FATAL_ERROR),
        Member(id="R/1", state=R),
    ]
    plan = plan_order(Verb.START, chosen, others)
    assert plan.blocked == {
        "A": Blockage("X", "is STOPPED, and not part of this order"),
        "B": Blockage("Y", "is not declared"),
        "C": Blockage("Z/2", "is FATAL_ERROR, and not part of this order"),
        "D": Blockage("E/", "has no unit"),
        "F": Blockage("C", BLOCKED),
    }
    assert [each.id for each in plan.ordering.members] == ["G", "H"]
    assert plan_order(Verb.START, chosen, others, even_so=True).blocked == {}


def test_a_stop_is_blocked_by_who_requires_it_and_goes_on_running() -> None:
    chosen = [
        Member(id="A/1", state=R),
        Member(id="B", state=R, requires=("A/1",)),
        Member(id="C", state=R),
    ]
    others = [
        Member(id="X", state=R, requires=("A/",)),
        Member(id="Y", state=S, requires=("C",)),
    ]
    plan = plan_order(Verb.STOP, chosen, others)
    why = "requires A/, is RUNNING, and is not part of this order"
    assert plan.blocked == {"A/1": Blockage("X", why)}
    assert [each.id for each in plan.ordering.members] == ["B", "C"]


def test_what_may_not_be_touched_blocks_also_who_requires_it() -> None:
    chosen = [Member(id="A"), Member(id="B", requires=("A",)), Member(id="C")]
    plan = plan_order(Verb.START, chosen, barred={"A": "in maintenance"})
    assert plan.blocked == {"A": Blockage("", "in maintenance"), "B": Blockage("A", BLOCKED)}


def test_a_cycle_is_refused_by_name() -> None:
    members = [Member(id="A", requires=("B",)), Member(id="B", after=("A",))]
    with pytest.raises(Refused, match="A requires B, B comes after A") as caught:
        plan_order(Verb.STOP, members)
    assert caught.value.reason == "DEPENDENCY_CYCLE"


@given(members=without_cycles(), verb=st.sampled_from(list(Verb)), even_so=st.booleans())
def test_the_order_is_that_of_what_is_neither_there_nor_blocked(
    *, members: list[Member], verb: Verb, even_so: bool
) -> None:
    plan = plan_order(verb, members, barred={"A/1": "in maintenance"}, even_so=even_so)
    left = [each for each in members if each.id not in {*plan.there, *plan.blocked}]
    assert plan.ordering == order_of(left, descends=verb in DESCENDING)


def test_a_plan_costs_as_much_a_unit_however_many_there_are() -> None:
    def facility(size: int) -> list[Member]:
        return [
            Member(
                id=f"Z{number % 9}/{number}", level=number % 9, requires=(f"Z{number % 9 - 1}/",)
            )
            for number in range(size)
            if number % 9
        ]

    begun = time.process_time()
    plan = plan_order(Verb.STOP, facility(50_000))
    assert len(plan.ordering.members) == 44_444
    assert time.process_time() - begun < 4


def test_the_blast_radius_names_through_whom_each_is_hit() -> None:
    facility = [
        Member(id="P/1", state=R),
        Member(id="M", state=R, requires=("P/",)),
        Member(id="N", state=R, requires=("M",)),
        Member(id="O", state=S, requires=("P/1",)),
        Member(id="Q", state=R, requires=("O",)),
    ]
    assert blast_radius(["P/1"], facility) == {"M": "P/1", "N": "M"}


@given(facilities())
def test_the_blast_radius_is_all_that_requires_through_what_runs(facility: list[Member]) -> None:
    stopping = facility[0].id
    running = {each.id for each in facility if each.state is R}
    edges = {
        (one, other)
        for one, other, link in pairs(facility)
        if link is Link.REQUIRES and other in running
    }
    expected = {other for one, other in reached(edges) if one == stopping} - {stopping}
    found = blast_radius([stopping], facility)
    assert found.keys() == expected
    requires = {each.id: each.requires for each in facility}
    assert all(any(covers(on, by) for on in requires[id]) for id, by in found.items())
