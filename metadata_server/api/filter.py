"""What lists can be filtered and sorted by, on the wire."""

from __future__ import annotations

from collections.abc import Iterator

from mds.v1 import filter_pb2, filter_pb2_grpc

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages.enums import FILTER_VALUE_KINDS
from metadata_server.api.messages.position import position_message
from metadata_server.domain.filter.key import FilterKey
from metadata_server.domain.filter.vocabulary import VOCABULARIES, vocabulary_of
from metadata_server.services.matches import Counting


class FiltersServicer(filter_pb2_grpc.FiltersServicer):
    """Converts; never decides."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    async def ListFilterKeys(
        self, request: filter_pb2.ListFilterKeysRequest, context: Context
    ) -> filter_pb2.ListFilterKeysResponse:
        return filter_pb2.ListFilterKeysResponse(filter_keys=keys_of(request.kind))

    async def CountMatches(
        self, request: filter_pb2.CountMatchesRequest, context: Context
    ) -> filter_pb2.CountMatchesResponse:
        answer = await self._counting.matches(request.kind, request.filter, request.by)
        tell_position(context, answer.position)
        return filter_pb2.CountMatchesResponse(
            count=answer.value.count,
            tallies=[
                filter_pb2.Tally(key=key, value=value, count=count)
                for key, values in answer.value.by.items()
                for value, count in values
            ],
            position=position_message(answer.position),
        )


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
