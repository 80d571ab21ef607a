"""Published datasets, on the wire."""

from __future__ import annotations

from mds.v1 import dataset_pb2, dataset_pb2_grpc

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages.dataset import COLLECTION, dataset_message
from metadata_server.domain.refused import Refused
from metadata_server.services.life.publication import Publication


class DatasetsServicer(dataset_pb2_grpc.DatasetsServicer):
    """Converts; never decides."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication

    async def GetDataset(
        self, request: dataset_pb2.GetDatasetRequest, context: Context
    ) -> dataset_pb2.Dataset:
        answer = await self._publication.get(hash_of(request.name))
        tell_position(context, answer.position)
        found = answer.value
        return dataset_message(found.hash, found.attributes, create_time_us=found.create_time_us)


def hash_of(name: str) -> str:
    """The hash in the name of a dataset.

    Raises:
        Refused: INVALID_ID.
    """
    collection, slash, digest = name.partition("/")
    if collection != COLLECTION or not slash or not digest or not digest.isalnum():
        raise Refused.invalid(
            "INVALID_ID",
            f"name is {name[:80]!r}; right would be {COLLECTION}/{{hash}}.",
            field="name",
            value=name[:255],
        )
    return digest
