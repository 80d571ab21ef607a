"""What happened to a resource, on one time axis: changes, states of its lives, operations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.difference_pb2 import FieldDifference
from mds.v1.history_pb2 import Change
from mds.v1.instantiation_pb2 import Instantiation
from mds.v1.operation_pb2 import Operation

from webui import vocabulary
from webui.clock import Moment, moment
from webui.datasets.change_set import ACTIONS
from webui.names import id_of
from webui.operations.past_operation import standing_of
from webui.operations.verbs import order_words
from webui.translation import _
from webui.vocabulary import Mark

# Differences of one change that stand in the list; the comparison has all.
MOST_DIFFERENCES = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        kind: `change`, `state`, `life` or `operation`.
        title: what, in words.
        why: in the words of who did it.
        revision: of a change; 0: it is none.
        differences: the first of them.
        more: how many differences are not shown.
        page: about it; empty: none.
    """

    at: datetime
    time: Moment
    kind: str
    title: str
    who: str = ""
    why: str = ""
    mark: Mark | None = None
    revision: int = 0
    differences: tuple[FieldDifference, ...] = ()
    more: int = 0
    page: str = ""


def timeline(
    changes: Iterable[Change],
    lives: Iterable[Instantiation],
    operations: Iterable[Operation],
    *,
    since: datetime | None,
    until: datetime | None,
    today: datetime,
) -> list[Entry]:
    """Newest first.

    Args:
        since: what came before is not known of all of them, and left out.
        until: what came after stands on a newer page.
    """
    entries = [
        *(_change(each, today) for each in changes),
        *(entry for each in lives for entry in _life(each, today)),
        *(_operation(each, today) for each in operations),
    ]
    shown = [
        entry
        for entry in entries
        if (since is None or entry.at >= since) and (until is None or entry.at <= until)
    ]
    return sorted(shown, key=lambda entry: entry.at, reverse=True)


def oldest_known(lists: Iterable[tuple[Sequence[Timestamp], bool]]) -> datetime | None:
    """From when on everything is in the lists: the latest of the ends of those that go on.

    Args:
        lists: the times of each, and whether there are more.
    """
    ends = [min(_at(time) for time in times) for times, goes_on in lists if times and goes_on]
    return max(ends) if ends else None


def _change(change: Change, today: datetime) -> Entry:
    made = change.change_set
    action = _(ACTIONS.get(change.action, "?"))
    former = id_of(change.former_name)
    return Entry(
        at=_at(made.time),
        time=moment(made.time, today=today),
        kind="change",
        title=_("%(action)s, it was %(name)s") % {"action": action, "name": former}
        if former
        else action,
        who=made.author,
        why=made.reason,
        revision=made.revision,
        differences=tuple(change.differences[:MOST_DIFFERENCES]),
        more=max(0, len(change.differences) - MOST_DIFFERENCES),
    )


def _life(life: Instantiation, today: datetime) -> Iterable[Entry]:
    place = f"{life.host}, pid {life.pid}" if life.host else id_of(life.unit_server)
    yield Entry(
        at=_at(life.begin_time),
        time=moment(life.begin_time, today=today),
        kind="life",
        title=_("a life began"),
        who=place,
    )
    for state in life.states:
        yield Entry(
            at=_at(state.time),
            time=moment(state.time, today=today),
            kind="state",
            title="",
            why=state.message,
            mark=vocabulary.state(state.state),
        )
    if life.HasField("end_time"):
        yield Entry(
            at=_at(life.end_time),
            time=moment(life.end_time, today=today),
            kind="life",
            title=_("the life ended"),
            who=place,
            why=vocabulary.end_reason(life.end_reason),
        )


def _operation(operation: Operation, today: datetime) -> Entry:
    return Entry(
        at=_at(operation.create_time),
        time=moment(operation.create_time, today=today),
        kind="operation",
        title=f"{order_words(operation.verb)}: {standing_of(operation).word}",
        who=operation.author,
        why=operation.reason or operation.message,
        page=f"/{operation.name}",
    )


def _at(time: Timestamp) -> datetime:
    return time.ToDatetime(tzinfo=UTC)
