"""What serves the facility's metadata: the replicas, and the nodes of the database."""

from dataclasses import dataclass
from datetime import datetime

from mds.v1 import replica_pb2

from webui.clock import Moment, moment
from webui.translation import gettext_noop
from webui.vocabulary import Mark

_STATES = {
    replica_pb2.REPLICA_STATE_SERVING: Mark(gettext_noop("Serving"), "alive"),
    replica_pb2.REPLICA_STATE_DRAINING: Mark(gettext_noop("Draining"), "changing", "changing"),
    replica_pb2.REPLICA_STATE_ENDED: Mark(gettext_noop("Ended"), "unloaded"),
    replica_pb2.REPLICA_STATE_LOST: Mark(gettext_noop("Lost"), "lost", "bad"),
}
_ROLES = {
    replica_pb2.DATABASE_NODE_ROLE_WRITER: gettext_noop("writer"),
    replica_pb2.DATABASE_NODE_ROLE_STANDBY: gettext_noop("stand-by"),
}
# What Galera says of a node that is well; a single server says nothing.
_WELL = ("", "Synced")
# Knowledge older than this, in ms, is late; what is younger is how it works.
_LATE_MS = 1000
UNKNOWN = Mark(gettext_noop("Unknown"), "unknown", "unknown")


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """One metadata server.

    Attributes:
        lag: how old its knowledge is, where that is worth saying.
        answers: whether the page has asked this one.
    """

    id: str
    mark: Mark
    version: str
    place: str
    lag: str
    since: Moment | None
    answers: bool


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node of the database.

    Attributes:
        waiting: transactions of others that it has not applied yet; None: it is not known.
    """

    id: str
    mark: Mark
    role: str
    version: str
    waiting: int | None


@dataclass(frozen=True, slots=True)
class System:
    """All of them."""

    replicas: tuple[ReplicaRow, ...]
    nodes: tuple[NodeRow, ...]


def system_of(
    listed: replica_pb2.ListReplicasResponse, *, answered_by: str, today: datetime
) -> System:
    replicas = sorted(listed.replicas, key=lambda each: -_rank(each.state))
    return System(
        tuple(_replica(each, answers=each.id == answered_by, today=today) for each in replicas),
        tuple(_node(each) for each in listed.database_nodes),
    )


def _rank(state: int) -> int:
    """Lost ones first, those that ended as they should last."""
    if state == replica_pb2.REPLICA_STATE_LOST:
        return 2
    return 0 if state == replica_pb2.REPLICA_STATE_ENDED else 1


def _replica(replica: replica_pb2.Replica, *, answers: bool, today: datetime) -> ReplicaRow:
    serves = replica.state == replica_pb2.REPLICA_STATE_SERVING
    lag_ms = replica.lag.ToMilliseconds()
    told = replica.start_time if serves else replica.seen_time
    return ReplicaRow(
        id=replica.id,
        mark=_STATES.get(replica.state, UNKNOWN),
        version=replica.version,
        place=f"{replica.host}:{replica.grpc_port}" if serves else "",
        lag=f"{lag_ms / 1000:.1f} s" if serves and lag_ms > _LATE_MS else "",
        since=moment(told, today=today),
        answers=answers,
    )


def _node(node: replica_pb2.DatabaseNode) -> NodeRow:
    if node.held_up:
        mark = Mark(gettext_noop("Held up by a slow node"), "warning", "warning")
    elif node.state in _WELL:
        mark = Mark(node.state or gettext_noop("Answers"), "alive")
        if node.role != replica_pb2.DATABASE_NODE_ROLE_WRITER and not node.state:
            mark = Mark(gettext_noop("In the cluster"), "alive")
    else:
        mark = Mark(node.state, "warning", "warning")
    waiting = node.waiting_transactions if node.HasField("waiting_transactions") else None
    return NodeRow(node.id, mark, _ROLES.get(node.role, ""), node.version, waiting)
