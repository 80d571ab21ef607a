"""Published datasets on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from mds.v1 import dataset_pb2

from metadata_server.api.messages.attribute import attribute_message, attributes_of
from metadata_server.api.messages.position import time_message
from metadata_server.api.messages.reading import Reading
from metadata_server.domain.intent.attribute import Attribute

COLLECTION = "datasets"


def dataset_message(
    dataset_hash: str, attributes: Sequence[Attribute], *, create_time_us: int
) -> dataset_pb2.Dataset:
    return dataset_pb2.Dataset(
        name=f"{COLLECTION}/{dataset_hash}",
        attributes=map(attribute_message, attributes),
        create_time=time_message(create_time_us),
    )


def published_attributes_of(messages: Iterable[dataset_pb2.Attribute]) -> tuple[Attribute, ...]:
    """The attributes that a process published, sorted by name.

    Raises:
        Refused: INVALID_FIELD, for numbers that the protocol has no word for.
    """
    reading = Reading()
    found = attributes_of(messages, reading)
    reading.finish()
    return tuple(sorted(found, key=attrgetter("name")))
