"""What stands beside the units on the overview page: operations, changes, replicas, nodes."""

import re
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from mds.v1 import history_pb2, operation_pb2, operation_step_pb2, replica_pb2

from tests.webui.messages import NOW, stamp
from webui.live.around import Around
from webui.live.painter import Link, Painter
from webui.overview.bar import WIDTH
from webui.overview.doings import Doings, doings_of
from webui.overview.system import System, system_of
from webui.rendering import environment

LIVE = Link("live", "127.0.0.1:7400")
NASTY = '<script>alert("1")</script>'


@pytest.fixture
def painter() -> Painter:
    return Painter(environment())


def operation(**fields: object) -> operation_pb2.Operation:
    made = operation_pb2.Operation(
        name="operations/1",
        verb=operation_pb2.ORDER_VERB_START,
        phase=operation_pb2.OPERATION_PHASE_EXECUTING,
        create_time=stamp(NOW),
        counts=operation_step_pb2.StepCounts(
            steps=10, pending=3, executing=2, completed=3, failed=1, skipped=1
        ),
    )
    made.MergeFrom(operation_pb2.Operation(**fields))  # type: ignore[arg-type]
    return made


def doings(*operations: operation_pb2.Operation, more: str = "") -> Doings:
    change = history_pb2.ChangeSet(
        name="change_sets/7", revision=7, time=stamp(NOW), author=NASTY, reason=NASTY, updated=3,
        first_names=["control_units/A"],
    )  # fmt: skip
    listed = operation_pb2.ListOperationsResponse(operations=operations, next_page_token=more)
    return doings_of(listed, [change], today=NOW)


def system(
    *replicas: replica_pb2.Replica,
    node_state: str = "",
    waiting: int | None = None,
    held_up: bool = False,
) -> System:
    nodes = [
        replica_pb2.DatabaseNode(
            id="db1", role=replica_pb2.DATABASE_NODE_ROLE_WRITER, version="MariaDB 10.11",
            state=node_state, waiting_transactions=waiting, held_up=held_up,
        ),
        replica_pb2.DatabaseNode(id="db2:3306", role=replica_pb2.DATABASE_NODE_ROLE_STANDBY),
    ]  # fmt: skip
    listed = replica_pb2.ListReplicasResponse(replicas=replicas, database_nodes=nodes)
    return system_of(listed, answered_by="mds-1", today=NOW)


def replica(id: str, state: str = "SERVING", *, lag_s: float = 0.1) -> replica_pb2.Replica:
    lag = Duration()
    lag.FromTimedelta(timedelta(seconds=lag_s))
    return replica_pb2.Replica(
        id=id,
        state=replica_pb2.ReplicaState.Value(f"REPLICA_STATE_{state}"),
        version="1.0",
        host="h",
        grpc_port=7400,
        start_time=stamp(NOW),
        seen_time=stamp(NOW),
        lag=lag,
    )


def test_an_operation_tells_how_far_it_is(painter: Painter) -> None:
    (row,) = doings(operation(reason="shutdown is over", author="anna")).operations
    assert (row.done, row.steps, row.failed) == (5, 10, 1)
    assert [(each.tone, each.width) for each in row.bar] == [
        ("good", WIDTH * 4 // 10), ("bad", WIDTH // 10), ("changing", WIDTH * 2 // 10),
    ]  # fmt: skip
    html = painter.paint(None, LIVE, Around(doings=doings(operation()))).pieces["operation:1"]
    assert "5 of 10 steps" in html
    assert "1 failed" in html
    assert 'href="/operations/1"' in html


def test_an_operation_without_steps_can_be_drawn() -> None:
    made = operation()
    made.counts.Clear()
    (row,) = doings(made).operations
    assert (row.done, row.steps, row.bar) == (0, 0, ())


@pytest.mark.parametrize(
    ("around", "note"),
    [
        (Around(), "Unknown."),
        (Around(doings=doings()), "No operation is under way."),
        (Around(doings=doings(operation(), more="x")), "More are under way."),
    ],
)
def test_what_is_not_known_is_not_nothing(painter: Painter, around: Around, note: str) -> None:
    assert note in painter.paint(None, LIVE, around).pieces["doings-note"]


def test_lost_replicas_come_first_and_ended_ones_last(painter: Painter) -> None:
    found = system(replica("mds-1"), replica("mds-2", "ENDED"), replica("mds-3", "LOST"))
    assert [(row.id, row.mark.tone) for row in found.replicas] == [
        ("mds-3", "bad"), ("mds-1", "quiet"), ("mds-2", "quiet"),
    ]  # fmt: skip
    painting = painter.paint(None, LIVE, Around(system=found))
    assert painting.lists["replicas"] == ("replica:mds-3", "replica:mds-1", "replica:mds-2")
    assert "answers here" in painting.pieces["replica:mds-1"]
    assert "answers here" not in painting.pieces["replica:mds-3"]


def test_only_a_late_replica_tells_its_lag() -> None:
    well, late, gone = system(
        replica("a"), replica("b", lag_s=4.24), replica("c", "ENDED", lag_s=9)
    ).replicas
    assert (well.lag, late.lag, gone.lag) == ("", "4.2 s", "")


def test_a_node_that_is_not_in_step_stands_out() -> None:
    assert [row.mark.tone for row in system(node_state="Synced").nodes] == ["quiet", "quiet"]
    donor = system(node_state="Donor/Desynced").nodes[0]
    assert (donor.mark.word, donor.mark.tone) == ("Donor/Desynced", "warning")


def test_a_node_tells_how_far_it_is_behind_where_that_is_known(painter: Painter) -> None:
    found = system(node_state="Synced", waiting=3)
    pieces = painter.paint(None, LIVE, Around(system=found)).pieces
    assert "3 transactions behind" in pieces["node:db1"]
    assert "behind" not in pieces["node:db2:3306"]
    alone = painter.paint(None, LIVE, Around(system=system())).pieces
    assert "behind" not in alone["node:db1"]


def test_a_node_that_is_held_up_by_another_stands_out() -> None:
    held_up = system(node_state="Synced", held_up=True).nodes[0]
    assert (held_up.mark.word, held_up.mark.tone) == ("Held up by a slow node", "warning")


def test_text_from_the_facility_never_becomes_markup(painter: Painter) -> None:
    around = Around(doings(operation(reason=NASTY, author=NASTY)), system(replica("mds-1")))
    html = "".join(painter.paint(None, LIVE, around).pieces.values())
    assert "<script" not in html
    assert not re.search(r"\sstyle=|\son\w+=", html)
