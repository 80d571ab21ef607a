"""Replicas and the database's nodes on the wire."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from mds.v1 import replica_pb2, replica_pb2_grpc

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages.enums import Words
from metadata_server.api.messages.position import position_message, time_message
from metadata_server.domain.replica import DatabaseNode, DatabaseRole, Replica, ReplicaState
from metadata_server.services.replicas import Replicas

STATES = Words(ReplicaState, replica_pb2.ReplicaState, "REPLICA_STATE")
ROLES = Words(DatabaseRole, replica_pb2.DatabaseNodeRole, "DATABASE_NODE_ROLE")


class ReplicasServicer(replica_pb2_grpc.ReplicasServicer):
    """Converts; never decides."""

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas

    async def ListReplicas(
        self, request: replica_pb2.ListReplicasRequest, context: Context
    ) -> replica_pb2.ListReplicasResponse:
        answer = await self._replicas.list()
        tell_position(context, answer.position)
        found = answer.value
        return replica_pb2.ListReplicasResponse(
            replicas=[replica_message(each, found.now_us) for each in found.replicas],
            database_nodes=map(node_message, found.nodes),
            position=position_message(answer.position),
        )


def replica_message(replica: Replica, now_us: int) -> replica_pb2.Replica:
    sign = replica.sign
    seconds, microseconds = divmod(sign.lag_us, 1_000_000)
    return replica_pb2.Replica(
        id=sign.id,
        state=STATES.number[replica.state(now_us)],
        version=sign.version,
        host=sign.host,
        pid=sign.pid,
        grpc_port=sign.grpc_port,
        http_port=sign.http_port,
        start_time=time_message(replica.start_us),
        seen_time=time_message(replica.seen_us),
        lag=Duration(seconds=seconds, nanos=microseconds * 1000),
        followers=sign.followers,
        database_node=replica.database_node,
    )


def node_message(node: DatabaseNode) -> replica_pb2.DatabaseNode:
    return replica_pb2.DatabaseNode(
        id=node.id,
        role=ROLES.number[node.role],
        version=node.version,
        state=node.state,
        waiting_transactions=node.waiting,
        held_up=node.is_held_up,
    )
