"""Each validator finds what it is there to find: histories that somebody has doctored."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from tests.watch.records import Connection, Heard, Record, Told, Truth, Wanted, told_as
from tests.watch.validators import GUARANTEES, breaches


def told(revision: int, name: str, action: str = "CREATED", **more: str) -> Told:
    time = f"2026-11-21T00:00:{revision:02}Z"
    content = "" if action == "DELETED" else f'{{"name": "{name}", "at": {revision}}}'
    return Told(
        revision, time, "KIND_VARIABLE", f"variables/{name}", action, content=content, **more
    )


HISTORY = (
    told(1, "A/1"),
    told(2, "A/2"),
    told(2, "B/1"),
    told(3, "B/1", "UPDATED"),
    told(4, "A/3", "UPDATED", former_name="variables/B/1"),
    told(5, "A/1", "UPDATED"),
    told(6, "B/2", "UPDATED", former_name="variables/A/2"),
    told(7, "A/1", "DELETED"),
)
TRUTH = Truth(
    HISTORY,
    {
        1: frozenset({"variables/A/1"}),
        2: frozenset({"variables/A/2", "variables/B/1"}),
        5: frozenset({"variables/A/1"}),
        7: frozenset({"variables/A/1"}),
    },
)
COMES_IN = told_as(HISTORY[4], "CREATED")
LEAVES = told_as(HISTORY[6], "LEFT", "variables/A/2")


def faithful() -> Record:
    """What a watcher of `A/` sees that is interrupted once."""
    return Record(
        Wanted(prefix="A/"),
        [
            Connection(
                0, [Heard(1, (HISTORY[0],)), Heard(2, (HISTORY[1],)), Heard(3)], "it was killed"
            ),
            Connection(3, [Heard(4, (COMES_IN,)), Heard(6, (HISTORY[5], LEAVES)), Heard(6)]),
            Connection(6, [Heard(7, (HISTORY[7],))]),
        ],
    )


def test_a_faithful_record_breaks_nothing() -> None:
    assert not breaches(faithful(), TRUTH)


def test_who_sees_everything_sees_the_history_itself() -> None:
    record = Record(Wanted(), [Connection(0, [Heard(7, HISTORY)])])
    assert not breaches(record, TRUTH)


def swap(record: Record) -> None:
    heard = record.connections[1].heard
    heard[0], heard[1] = heard[1], heard[0]


def swap_times(record: Record) -> None:
    heard = record.connections[0].heard
    heard[1] = Heard(2, (replace(HISTORY[1], time="2025-01-01T00:00:00Z"),))


def repeat(record: Record) -> None:
    record.connections[1].heard.insert(0, record.connections[0].heard[1])


def split(record: Record) -> None:
    record.wanted = Wanted()
    record.connections = [
        Connection(0, [Heard(2, HISTORY[:2]), Heard(2, (HISTORY[2],)), Heard(7, HISTORY[3:])])
    ]


def run_ahead(record: Record) -> None:
    """A message with events beyond its position: who resumes there is told them twice."""
    record.connections[0].heard[1] = Heard(1, (HISTORY[1],))


def forget(record: Record) -> None:
    record.connections[0].heard[0] = Heard(1)


def lose(record: Record) -> None:
    """What was acknowledged is nowhere."""
    record.connections[2].heard[0] = Heard(7)


def skip_after_resuming(record: Record) -> None:
    record.connections[1].heard[0] = Heard(4)


def tell_what_was_before(record: Record) -> None:
    record.connections[1].heard[0] = Heard(4, (HISTORY[1], COMES_IN))


def promise_too_much(record: Record) -> None:
    """A bookmark ahead of what was told."""
    record.connections[0].heard[0] = Heard(2, (HISTORY[0],))


def go_back(record: Record) -> None:
    record.connections[1].heard[2] = Heard(5)


def never_arrive(record: Record) -> None:
    record.connections.pop()


def tell_others(record: Record) -> None:
    record.connections[0].heard[1] = Heard(2, HISTORY[1:3])


def keep_who_left(record: Record) -> None:
    record.connections[1].heard[1] = Heard(6, (HISTORY[5], HISTORY[6]))


def call_it_an_update(record: Record) -> None:
    record.connections[1].heard[0] = Heard(4, (HISTORY[4],))


def tell_old_content(record: Record) -> None:
    stale = replace(HISTORY[5], content=HISTORY[0].content)
    record.connections[1].heard[1] = Heard(6, (stale, LEAVES))


@pytest.mark.parametrize(
    ("guarantee", "doctor"),
    [
        ("ordered", swap),
        ("ordered", swap_times),
        ("unique", repeat),
        ("atomic", split),
        ("atomic", run_ahead),
        ("reliable", forget),
        ("reliable", lose),
        ("resumable", skip_after_resuming),
        ("resumable", tell_what_was_before),
        ("bookmarkable", promise_too_much),
        ("bookmarkable", go_back),
        ("bookmarkable", never_arrive),
        ("filtered", tell_others),
        ("filtered", keep_who_left),
        ("filtered", call_it_an_update),
        ("filtered", tell_old_content),
    ],
)
def test_a_doctored_record_is_found_out(guarantee: str, doctor: Callable[[Record], None]) -> None:
    record = deepcopy(faithful())
    doctor(record)
    assert list(GUARANTEES[guarantee](record, TRUTH)), f"{doctor.__name__} passed as {guarantee}"


def test_a_write_that_was_acknowledged_and_never_happened_is_found_out() -> None:
    invented = replace(TRUTH, acknowledged={**TRUTH.acknowledged, 3: frozenset({"variables/C"})})
    assert list(GUARANTEES["reliable"](faithful(), invented))


def test_a_whole_second_is_earlier_than_what_follows_in_it() -> None:
    times = ("2026-11-21T00:00:05Z", "2026-11-21T00:00:05.004123Z", "2026-11-21T00:00:05.100Z")
    history = tuple(replace(told(number, "A/1"), time=time) for number, time in enumerate(times, 1))
    record = Record(Wanted(prefix="A/"), [Connection(0, [Heard(3, history)])])
    assert not list(GUARANTEES["ordered"](record, Truth(history, {})))
    turned = tuple(
        replace(each, time=time) for each, time in zip(history, reversed(times), strict=True)
    )
    record = Record(Wanted(prefix="A/"), [Connection(0, [Heard(3, turned)])])
    assert len(list(GUARANTEES["ordered"](record, Truth(turned, {})))) == 2
