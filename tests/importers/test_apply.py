"""Bundles in messages that a server takes."""

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.script_pb2 import Script

from control_units.importers.apply import (
    CHUNK_BYTES,
    LARGEST_ITEM_BYTES,
    chunks,
    without_oversized,
)
from control_units.importers.findings import Findings


def item(number: int, size: int) -> BundleItem:
    return BundleItem(
        source=f"scripts[{number}]", script=Script(name=f"scripts/{number}", content="x" * size)
    )


def test_items_travel_together_in_messages_of_a_megabyte() -> None:
    items = [item(number, 300_000) for number in range(10)]
    sent = list(chunks(items))
    assert [one for chunk in sent for one in chunk] == items
    assert [len(chunk) for chunk in sent] == [3, 3, 3, 1]
    assert all(sum(one.ByteSize() for one in chunk) <= CHUNK_BYTES for chunk in sent)


def test_an_item_that_is_larger_travels_alone() -> None:
    items = [item(0, 10), item(1, 2_000_000), item(2, 10)]
    assert [len(chunk) for chunk in chunks(items)] == [1, 1, 1]


def test_nothing_is_sent_of_nothing() -> None:
    assert list(chunks([])) == []


def test_an_item_that_no_message_can_hold_is_a_problem() -> None:
    findings = Findings()
    items = [item(0, 10), item(1, LARGEST_ITEM_BYTES)]
    assert without_oversized(items, findings) == items[:1]
    (problem,) = findings.problems
    assert (problem.source, problem.reason) == ("scripts[1]", "MESSAGE_TOO_LARGE")
    assert problem.name == "scripts/1"
