"""Where SQL finds what filters ask of operations and their steps, changes, lives, sightings and
deliveries."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, func

from metadata_server.domain.filter.parser import parse_filter
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.store.deliveries.webhook_tables import webhook_delivery
from metadata_server.store.filter import sources
from metadata_server.store.filter.compiling import condition_of
from metadata_server.store.filter.record_pages import Records
from metadata_server.store.filter.scope import Scope
from metadata_server.store.filter.sources import Source
from metadata_server.store.orchestration.operation_tables import operation, operation_step
from metadata_server.store.schema import change_set, history, instantiation, session, sighting
from metadata_server.store.unit_of_work import UnitOfWork

OPERATION, STEP = operation.c, operation_step.c
SET, SIGHTING = change_set.c, sighting.c
LIFE, SESSION, DELIVERY = instantiation.c, session.c, webhook_delivery.c

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
    "request": sources.texts(SET.request_id),
}
CHANGE_SOURCES: Mapping[str, Source] = {
    **CHANGE_SET_SOURCES,
    "revision": sources.numbers(history.c.revision),
    "kind": sources.own_words(history.c.kind),
    "action": sources.own_words(history.c.action),
}
SIGHTINGS = Records(
    {
        "unit_server": sources.ids(SIGHTING.unit_server),
        "host": sources.texts(SIGHTING.host),
        "address": sources.texts(SIGHTING.address),
        "pid": sources.numbers(SIGHTING.pid),
        "class": sources.body_list(SIGHTING.classes, "$.classes"),
        "first": sources.times(SIGHTING.first_time_us),
        "last": sources.times(SIGHTING.last_time_us),
        "count": sources.numbers(SIGHTING["count"]),
    },
    {
        "unit_server": SIGHTING.unit_server,
        "first": SIGHTING.first_time_us,
        "last": SIGHTING.last_time_us,
        "count": SIGHTING["count"],
    },
    [SIGHTING.unit_server],
)
STEPS = Records(
    {
        "control_unit": sources.ids(STEP.control_unit),
        "position": sources.numbers(STEP.position),
        "state": sources.own_words(STEP.state),
        "minor_state": sources.own_words(STEP.minor_state),
        "message": sources.texts(STEP.message),
        "way_back": sources.flags(STEP.is_way_back),
        "target": sources.own_words(STEP.target),
        "level": sources.body_number(STEP.body, "$.level"),
        "wave": sources.body_number(STEP.body, "$.wave"),
        "unit_server": sources.body_text(STEP.body, "$.unit_server"),
        "found": sources.body_words(STEP.body, "$.found", State.UNSPECIFIED),
        "attempts": sources.numbers(STEP.attempts),
        "started": sources.times(STEP.start_time_us),
        "ended": sources.times(STEP.end_time_us),
        "revision": sources.numbers(STEP.revision),
    },
    {
        "control_unit": STEP.control_unit,
        "position": STEP.position,
        "attempts": STEP.attempts,
        "started": STEP.start_time_us,
        "ended": STEP.end_time_us,
        "revision": STEP.revision,
    },
    [STEP.position],
)
INSTANTIATIONS = Records(
    {
        "control_unit": sources.last_names(LIFE.control_unit_key, Kind.CONTROL_UNIT),
        "unit_server": sources.last_names(SESSION.unit_server_key, Kind.UNIT_SERVER),
        "template": sources.last_names(LIFE.template_key, Kind.TEMPLATE),
        "template_version": sources.numbers(LIFE.template_version),
        "session": sources.ascii_texts(SESSION.id),
        "host": sources.texts(SESSION.host),
        "address": sources.texts(SESSION.address),
        "pid": sources.numbers(SESSION.pid),
        "version": sources.texts(SESSION.version),
        "begin": sources.times(LIFE.begin_time_us),
        "end": sources.times(func.coalesce(LIFE.end_time_us, 0)),
        "end_reason": sources.own_words(LIFE.end_reason),
        "over": lambda _, term: sources.truth(LIFE.end_time_us.is_not(None), term),
    },
    {"begin": LIFE.begin_time_us, "end": LIFE.end_time_us},
    [LIFE.session, LIFE.control_unit_key],
)
DELIVERIES = Records(
    {
        "id": sources.ascii_texts(DELIVERY.id),
        "number": sources.numbers(DELIVERY.number),
        "type": sources.own_words(DELIVERY.type),
        "state": sources.own_words(DELIVERY.state),
        "events": sources.numbers(DELIVERY.events),
        "created": sources.times(DELIVERY.create_time_us),
        "attempted": sources.times(DELIVERY.attempt_time_us),
        "attempts": sources.numbers(DELIVERY.attempts),
        "status": sources.numbers(DELIVERY.http_status),
        "duration_us": sources.numbers(DELIVERY.duration_us),
        "error": sources.texts(DELIVERY.error),
        "replica": sources.texts(DELIVERY.replica),
        "redelivery_of": sources.ascii_texts(DELIVERY.redelivery_of),
    },
    {
        "number": DELIVERY.number,
        "events": DELIVERY.events,
        "created": DELIVERY.create_time_us,
        "attempted": DELIVERY.attempt_time_us,
        "attempts": DELIVERY.attempts,
        "status": DELIVERY.http_status,
        "duration_us": DELIVERY.duration_us,
    },
    [DELIVERY.number],
)


def passing(
    unit: UnitOfWork, text: str, word: str, known: Mapping[str, Source], *, now_us: int
) -> ColumnElement[bool]:
    """A condition that rows pass which pass a filter.

    Raises:
        Refused: INVALID_FILTER.
    """
    scope = Scope(unit, unit.position.revision, now_us)
    return condition_of(parse_filter(text, word), known, scope)
