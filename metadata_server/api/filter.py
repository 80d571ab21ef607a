"""What lists can be filtered and sorted by, on the wire."""

from __future__ import annotations

from collections.abc import Iterator

from mds.v1 import filter_pb2, filter_pb2_grpc

from metadata_server.api.calls import Context
from metadata_server.api.messages.enums import FILTER_VALUE_KINDS
from metadata_server.domain.filter.key import FilterKey
from metadata_server.domain.filter.vocabulary import VOCABULARIES, vocabulary_of


class FiltersServicer(filter_pb2_grpc.FiltersServicer):
    """Converts; never decides."""

    async def ListFilterKeys(
        self, request: filter_pb2.ListFilterKeysRequest, context: Context
    ) -> filter_pb2.ListFilterKeysResponse:
        return filter_pb2.ListFilterKeysResponse(filter_keys=keys_of(request.kind))


def keys_of(kind: str) -> Iterator[filter_pb2.FilterKey]:
    """The keys of one kind; empty: of all.

    Raises:
        Refused: INVALID_FIELD.
    """
    wanted = [vocabulary_of(kind)] if kind else VOCABULARIES.values()
    for vocabulary in wanted:
        for key in vocabulary.keys.values():
            yield key_message(vocabulary.word, key)


def key_message(word: str, key: FilterKey) -> filter_pb2.FilterKey:
    return filter_pb2.FilterKey(
        kind=word,
        name=key.name,
        value_kind=FILTER_VALUE_KINDS.number[key.kind],
        meaning=key.meaning,
        example=key.example,
        operators=key.operators,
        words=key.words,
        many=key.is_many,
        named=key.has_names,
        indexed=key.is_indexed,
        sortable=key.is_sortable,
        past=key.is_past,
        watchable=key.is_watched,
    )
