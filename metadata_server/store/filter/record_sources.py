"""Where SQL finds what filters ask of operations, changes and sightings."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement

from metadata_server.domain.filter.parser import parse_filter
from metadata_server.store.filter import sources
from metadata_server.store.filter.compiling import condition_of
from metadata_server.store.filter.scope import Scope
from metadata_server.store.filter.sources import Source
from metadata_server.store.orchestration.operation_tables import operation
from metadata_server.store.schema import change_set, history, sighting
from metadata_server.store.unit_of_work import UnitOfWork

OPERATION, SET, SIGHTING = operation.c, change_set.c, sighting.c

OPERATION_SOURCES: Mapping[str, Source] = {
    "id": sources.ids(OPERATION.id),
    "phase": sources.own_words(OPERATION.phase),
    "minor_state": sources.own_words(OPERATION.minor_state),
    "verb": sources.own_words(OPERATION.verb),
    "author": sources.texts(OPERATION.author),
    "reason": sources.texts(OPERATION.reason),
    "message": sources.texts(OPERATION.message),
    "created": sources.times(OPERATION.create_time_us),
    "started": sources.times(OPERATION.start_time_us),
    "ended": sources.times(OPERATION.end_time_us),
    "changed": sources.times(OPERATION.update_time_us),
}
CHANGE_SET_SOURCES: Mapping[str, Source] = {
    "revision": sources.numbers(SET.revision),
    "time": sources.times(SET.time_us),
    "author": sources.texts(SET.author),
    "authenticated": sources.flags(SET.authenticated),
    "reason": sources.texts(SET.reason),
    "method": sources.ascii_texts(SET.method),
    "client": sources.texts(SET.client),
}
CHANGE_SOURCES: Mapping[str, Source] = {
    **CHANGE_SET_SOURCES,
    "revision": sources.numbers(history.c.revision),
    "kind": sources.own_words(history.c.kind),
    "action": sources.own_words(history.c.action),
}
SIGHTING_SOURCES: Mapping[str, Source] = {
    "unit_server": sources.ids(SIGHTING.unit_server),
    "host": sources.texts(SIGHTING.host),
    "address": sources.texts(SIGHTING.address),
    "pid": sources.numbers(SIGHTING.pid),
    "class": sources.body_list(SIGHTING.classes, "$.classes"),
    "first": sources.times(SIGHTING.first_time_us),
    "last": sources.times(SIGHTING.last_time_us),
    "count": sources.numbers(sighting.c["count"]),
}


def passing(
    unit: UnitOfWork, text: str, word: str, known: Mapping[str, Source], *, now_us: int
) -> ColumnElement[bool]:
    """A condition that rows pass which pass a filter.

    Raises:
        Refused: INVALID_FILTER.
    """
    scope = Scope(unit, unit.position.revision, now_us)
    return condition_of(parse_filter(text, word), known, scope)
