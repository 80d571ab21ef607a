"""What people have under way, and what they have lately changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mds.v1 import history_pb2, operation_pb2, operation_step_pb2

from webui.clock import Moment, moment
from webui.lists.records import what_of
from webui.names import id_of, page_of
from webui.operations.phases import phase_of
from webui.operations.verbs import order_words
from webui.overview.bar import WIDTH, Segment
from webui.vocabulary import Mark

UNDER_WAY = (
    operation_pb2.OPERATION_PHASE_QUEUED,
    operation_pb2.OPERATION_PHASE_EXECUTING,
    operation_pb2.OPERATION_PHASE_HELD,
    operation_pb2.OPERATION_PHASE_SUSPENDED,
)
MOST_OPERATIONS, MOST_CHANGES = 6, 8


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One operation that has not ended.

    Attributes:
        done: steps that have ended, of all `steps`.
        failed: of those, how many have failed.
    """

    id: str
    page: str
    verb: str
    mark: Mark
    done: int
    steps: int
    failed: int
    bar: tuple[Segment, ...]
    author: str
    reason: str
    since: Moment


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change set."""

    id: str
    page: str
    time: Moment
    author: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Doings:
    """
    Attributes:
        more: operations are under way that are not among these.
    """

    operations: tuple[OperationRow, ...]
    more: bool
    changes: tuple[ChangeRow, ...]


def doings_of(
    operations: operation_pb2.ListOperationsResponse,
    changes: Iterable[history_pb2.ChangeSet],
    *,
    today: datetime,
) -> Doings:
    return Doings(
        tuple(_operation(each, today) for each in operations.operations),
        bool(operations.next_page_token),
        tuple(_change(each, today) for each in changes),
    )


def _operation(operation: operation_pb2.Operation, today: datetime) -> OperationRow:
    counts = operation.counts
    ended = counts.completed + counts.failed + counts.aborted + counts.skipped
    return OperationRow(
        id=id_of(operation.name),
        page=page_of(operation.name),
        verb=order_words(operation.verb),
        mark=phase_of(operation),
        done=ended,
        steps=counts.steps,
        failed=counts.failed,
        bar=step_bar(counts),
        author=operation.author,
        reason=operation.reason,
        since=moment(operation.create_time, today=today),
    )


def step_bar(counts: operation_step_pb2.StepCounts) -> tuple[Segment, ...]:
    """Done, failed and under way, side by side, of all steps."""
    found = (
        ("good", counts.completed + counts.skipped),
        ("bad", counts.failed + counts.aborted),
        ("changing", counts.executing),
    )
    segments = []
    start = 0
    for tone, count in found:
        width = round(WIDTH * count / counts.steps) if counts.steps else 0
        if width:
            segments.append(Segment(tone, start, width))
            start += width
    return tuple(segments)


def _change(change: history_pb2.ChangeSet, today: datetime) -> ChangeRow:
    return ChangeRow(
        id=str(change.revision),
        page=page_of(change.name),
        time=moment(change.time, today=today),
        author=change.author,
        what=what_of(change).text,
        reason=change.reason,
    )
