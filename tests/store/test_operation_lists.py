"""Lists of operations: each page by any column, with any filter, on both databases."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.orchestration.operation import (
    Minor,
    Operation,
    Order,
    Phase,
    StepCounts,
)
from metadata_server.domain.orchestration.operation_list import SORTABLE, OperationSelection
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.place import place_token
from metadata_server.domain.refused import Refused
from metadata_server.store.filter.counting import matching_operations
from metadata_server.store.orchestration.operation_lists import operation_page
from metadata_server.store.orchestration.operations import insert_operation
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

CALLER = Caller(principal=Principal("shift"), method="Operations.CreateOperation")
COUNT, PAGE = 23, 5
LONGEST_NAME = "\N{MUSICAL SYMBOL G CLEF}" * 255
ALL = OperationSelection()
FILTERS = {
    "all": ALL,
    "phase": replace(ALL, phases=(Phase.ERROR, Phase.ABORTED)),
    "verb": replace(ALL, verbs=(Verb.STOP,)),
    "author": replace(ALL, author="b"),
    "time": replace(ALL, since_us=1_004, until_us=1_019),
    "text": replace(ALL, text="WATER_"),
    "several": replace(ALL, verbs=(Verb.START,), text="water", since_us=1_004),
    "nobody": replace(ALL, author="nobody"),
}


def made(number: int) -> Operation:
    """Several of each value; by digits `10` would come before `9`."""
    return Operation(
        id=f"o{number * 7 % COUNT}",
        key=number * 5 % COUNT + 1,
        order=Order(verb=(Verb.START, Verb.STOP, Verb.RECOVER)[number % 3]),
        phase=(Phase.COMPLETED, Phase.ERROR, Phase.ABORTED)[number % 4 % 3],
        minor_state=(Minor.DONE, Minor.FAILED)[number % 2],
        author=("a", "b", LONGEST_NAME)[number % 5 % 3],
        reason="Water_ alarm" if number % 3 else "waters",
        create_time_us=1_000 + number,
        start_time_us=number % 4,
        end_time_us=number % 11,
        sign_of_life_us=8 + number % 6,
        counts=StepCounts(completed=number % 7, failed=8 + number % 3),
    )


def key_of(operation: Operation, field: str) -> tuple[object, int]:
    """Where an operation stands in the order."""
    values: dict[str, object] = {
        "steps": operation.counts.steps,
        "failed": operation.counts.failed,
        "verb": operation.order.verb.value,
        "phase": operation.phase.value,
        "name": operation.id,
        "sign_of_life_time": operation.sign_of_life_us,
    }
    value = values[field] if field in values else getattr(operation, field, None)
    return getattr(operation, f"{field}_us") if value is None else value, operation.key


def passes(operation: Operation, wanted: OperationSelection) -> bool:
    text = f"{operation.reason}\n{operation.message}".lower()
    return (
        operation.phase in (wanted.phases or (operation.phase,))
        and operation.order.verb in (wanted.verbs or (operation.order.verb,))
        and wanted.author in ("", operation.author)
        and wanted.since_us <= operation.create_time_us < (wanted.until_us or 10**9)
        and wanted.text.lower() in text
    )


def walked(store: Store, selection: OperationSelection) -> tuple[list[Operation], set[int]]:
    """The operations of all pages, and the totals that they tell."""
    found: list[Operation] = []
    totals, token = set(), ""
    while True:
        reading = partial(operation_page, selection=selection, size=PAGE, token=token)
        page = store.read_now(reading).value
        found += page.operations
        totals.add(page.total)
        token = page.next_page_token
        if not token:
            return found, totals


@pytest.mark.parametrize("wanted", FILTERS)
def test_all_pages_together_are_what_passes_in_its_order(store: Store, wanted: str) -> None:
    def write(unit: UnitOfWork) -> list[Operation]:
        return [insert_operation(unit, made(number), due_us=None) for number in range(COUNT)]

    written = store.transact_now(write, caller=CALLER).value
    selection = FILTERS[wanted]
    passing = [each for each in written if passes(each, selection)]
    for field in SORTABLE:
        for direction in ("", " desc"):
            ordered = replace(selection, order_by=field + direction)
            found, totals = walked(store, ordered)
            expected = sorted(
                passing, key=lambda each: key_of(each, field), reverse=bool(direction)
            )
            assert [each.id for each in found] == [each.id for each in expected], ordered
            assert totals == {len(passing)}, ordered


def test_operations_are_counted_by_what_they_have(store: Store) -> None:
    def write(unit: UnitOfWork) -> list[Operation]:
        return [insert_operation(unit, made(number), due_us=None) for number in range(COUNT)]

    written = store.transact_now(write, caller=CALLER).value
    for text, passing in (
        ("", written),
        ("verb=STOP", [each for each in written if each.order.verb is Verb.STOP]),
        ("author=nobody", []),
    ):
        counting = partial(matching_operations, text=text, by=("phase", "author"))
        found = store.read_now(counting).value
        assert found.count == len(passing)
        assert dict(found.by["phase"]) == Counter(each.phase.value for each in passing)
        assert dict(found.by["author"]) == Counter(each.author for each in passing)
        assert [n for _, n in found.by["author"]] == sorted(
            (n for _, n in found.by["author"]), reverse=True
        )


@pytest.mark.parametrize(
    ("order", "place"), [("phase", ["é", 1]), ("phase", [1, 1]), ("create_time", [2**63, 1])]
)
def test_a_page_behind_what_no_operation_can_have_is_refused(
    store: Store, order: str, place: list[object]
) -> None:
    wanted = replace(ALL, order_by=order)
    forged = place_token(wanted.digest, place)
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        store.read_now(partial(operation_page, selection=wanted, size=PAGE, token=forged))
