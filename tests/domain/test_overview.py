"""Counts, verdicts and reasons of the overview."""

from itertools import product

import pytest

from metadata_server.domain.life.overview import (
    Cause,
    Group,
    Standing,
    Tally,
    unit_servers_of,
    zones_of,
)
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Contact, Health, State, health_of

RUNNING = Standing(State.RUNNING, State.RUNNING, Contact.ALIVE)
LOADED = Standing(State.LOADED, State.RUNNING, Contact.ALIVE)
FATAL = Standing(State.FATAL_ERROR, State.RUNNING, Contact.ALIVE)
LOST = Standing(State.RUNNING, State.RUNNING, Contact.LOST)
SUSPECT = Standing(State.RUNNING, State.RUNNING, Contact.SUSPECT)
UNKNOWN = Standing(State.RUNNING, State.RUNNING, Contact.UNKNOWN)
STUCK = Standing(State.LOADED, State.RUNNING, Contact.ALIVE, is_stuck=True)
NOBODY = Standing(State.UNSPECIFIED, State.RUNNING, Contact.NONE)
IDLE = Standing(State.UNSPECIFIED, State.UNSPECIFIED, Contact.NONE)


@pytest.mark.parametrize(
    ("standings", "why"),
    [
        ({RUNNING: 14}, ""),
        ({IDLE: 3}, ""),
        ({LOST: 2, RUNNING: 12}, "2 of 14 LOST"),
        ({FATAL: 1, RUNNING: 3}, "1 of 4 in FATAL_ERROR"),
        ({LOADED: 3}, "3 of 3 not yet RUNNING"),
        ({LOADED: 3, STUCK: 1}, "1 of 4 stuck before RUNNING, 3 not yet RUNNING"),
        ({NOBODY: 2, RUNNING: 1}, "2 of 3 without a process"),
        ({SUSPECT: 1, UNKNOWN: 2, RUNNING: 1}, "1 of 4 SUSPECT, 2 UNKNOWN"),
        (
            {LOADED: 3, FATAL: 1, LOST: 2, RUNNING: 8},
            "2 of 14 LOST, 1 in FATAL_ERROR, 3 not yet RUNNING",
        ),
    ],
)
def test_a_zone_says_why_it_is_not_good(standings: dict[Standing, int], why: str) -> None:
    assert Tally(standings).why == why


def test_a_reason_tells_since_when_the_first_unit_has_it() -> None:
    recoverable = Standing(State.RECOVERABLE_ERROR, State.RUNNING, Contact.ALIVE)
    tally = Tally.of(
        [
            Group("A", 1, LOST, 2, since_us=50),
            Group("A", 2, LOST, 1, since_us=40),
            Group("A", 3, Standing(State.LOADED, State.LOADED, Contact.LOST), 1, since_us=45),
            Group("A", 4, recoverable, 1, since_us=30),
            Group("A", 4, NOBODY, 3),
            Group("A", 4, RUNNING, 6),
        ]
    )
    assert tally.causes == (
        Cause("LOST", 4, Health.BAD, since_us=40),
        Cause("in RECOVERABLE_ERROR", 1, Health.BAD, since_us=30),
        Cause("without a process", 3, Health.WARNING),
    )


@pytest.mark.parametrize(
    ("standing", "since_us"),
    [
        (RUNNING, 0),
        (LOADED, 0),
        (LOST, 1),
        (SUSPECT, 1),
        (UNKNOWN, 1),
        (NOBODY, 1),
        (FATAL, 2),
        (Standing(State.FATAL_ERROR, State.RUNNING, Contact.SUSPECT), 2),
        (Standing(State.FATAL_ERROR, State.RUNNING, Contact.LOST), 1),
        (Standing(State.FATAL_ERROR, State.RUNNING, Contact.NONE), 1),
        (STUCK, 3),
    ],
)
def test_since_when_depends_on_what_is_wrong(standing: Standing, since_us: int) -> None:
    assert standing.since_us(silent_us=1, state_us=2, stuck_us=3) == since_us


def test_whatever_is_not_good_has_a_reason() -> None:
    for state, desired, contact, is_stuck in product(State, State, Contact, (False, True)):
        standing = Standing(state, desired, contact, is_stuck=is_stuck)
        assert standing.health is health_of(state, desired, contact, is_stuck=is_stuck)
        assert bool(Tally({standing: 1}).why) is (standing.health is not Health.GOOD), standing


def test_counts_are_worst_first_and_in_the_order_of_a_life() -> None:
    tally = Tally({RUNNING: 8, LOADED: 3, LOST: 2, FATAL: 1, NOBODY: 1})
    assert list(tally.healths.items()) == [
        (Health.BAD, 3),
        (Health.WARNING, 1),
        (Health.CHANGING, 3),
        (Health.GOOD, 8),
    ]
    assert list(tally.states) == [State.UNSPECIFIED, State.LOADED, State.RUNNING, State.FATAL_ERROR]
    assert tally.units == 15
    assert tally.health is Health.BAD


def test_zones_are_worst_first_then_by_name() -> None:
    groups = [
        Group("LINAC", 1, RUNNING, 5),
        Group("BTF", 1, RUNNING, 5),
        Group("DAFNE", 2, SUSPECT, 1),
        Group("DAFNE", 3, RUNNING, 4),
        Group("", 3, FATAL, 1),
    ]
    zones = zones_of(groups)
    assert [zone.name for zone in zones] == ["", "DAFNE", "BTF", "LINAC"]
    assert [zone.tally.units for zone in zones] == [1, 5, 5, 5]


def session(id: str, key: int, contact: Contact) -> Session:
    return Session(id=f"of-{id}", unit_server=id, unit_server_key=key, contact=contact)


def test_unit_servers_show_the_worst_below_and_their_own_contact() -> None:
    sessions = [
        session("good", 1, Contact.ALIVE),
        session("bad", 2, Contact.ALIVE),
        session("empty", 3, Contact.LOST),
        session("idle", 4, Contact.NONE),
    ]
    groups = [Group("A", 1, RUNNING, 2), Group("A", 2, FATAL, 1), Group("A", 0, IDLE, 7)]
    summaries = unit_servers_of(sessions, groups)
    assert [(each.session.unit_server, each.health) for each in summaries] == [
        ("bad", Health.BAD),
        ("empty", Health.BAD),
        ("good", Health.GOOD),
        ("idle", Health.GOOD),
    ]
    assert [each.tally.units for each in summaries] == [1, 0, 2, 0]
