"""Watches on the wire.

The bytes of a notice are made once for all watchers that are given it: events are serialized
one by one and joined, so that nothing is built or copied for each watcher.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any
from weakref import WeakKeyDictionary

import grpc
from google.protobuf.message import Message
from mds.v1 import view_pb2, watch_pb2
from prometheus_client import CollectorRegistry, Gauge

from metadata_server.api.calls import Context
from metadata_server.api.entries import entry_of, tag_of
from metadata_server.api.messages import (
    control_unit_status_message,
    to_message,
    unit_server_status_message,
)
from metadata_server.api.messages.enums import KINDS
from metadata_server.api.messages.operation import operation_message
from metadata_server.api.messages.position import position_message, position_of, time_message
from metadata_server.domain.change import Change, Position
from metadata_server.domain.intent.control_unit import ControlUnitStatus
from metadata_server.domain.life.session import Session
from metadata_server.domain.orchestration.operation import Operation
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.watch import Event, EventAction, Notice, WatchFilter, wanted_by
from metadata_server.services.watching.patience import with_signs_of_life
from metadata_server.services.watching.tailer import Tailer
from metadata_server.services.watching.watch import BOOKMARK_S, Watching

MESSAGE_BYTES = 1024 * 1024
EVENTS_AT_ONCE = 500
"""More are made in a thread: those of a bundle of 10,000 units take seconds, in which this replica
would say nothing to anybody, and be taken for dead by its balancer."""
LARGEST_REVISION_BYTES = 32 * 1024 * 1024
SERVICE = "mds.v1.Watch"
EVENTS_TAG = tag_of(watch_pb2.WatchResponse.EVENTS_FIELD_NUMBER)
ACTIONS = {each: watch_pb2.EventAction.Value(f"EVENT_ACTION_{each.name}") for each in EventAction}


class WatchServicer:
    """Streams notices."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._encoded: WeakKeyDictionary[Notice, dict[bool, list[bytes]]] = WeakKeyDictionary()
        self._turn = asyncio.Lock()

    async def Watch(
        self, request: watch_pb2.WatchRequest, context: Context
    ) -> AsyncIterator[bytes]:
        after = start_of(request.position)
        full = request.view != view_pb2.VIEW_BASIC
        async with aclosing(self._watching.watch(filter_of(request), after)) as notices:
            async for notice in notices:
                if len(notice.events) <= EVENTS_AT_ONCE:
                    for response in self._responses(notice, full=full):
                        yield response
                else:
                    async with aclosing(self._large(notice, after, full=full)) as responses:
                        async for response in responses:
                            yield response
                after = notice.position

    def _responses(self, notice: Notice, *, full: bool) -> list[bytes]:
        known = self._encoded.setdefault(notice, {})
        if full not in known:
            known[full] = list(responses_of(notice, full=full))
        return known[full]

    async def _large(
        self, notice: Notice, after: Position | None, *, full: bool
    ) -> AsyncGenerator[bytes, None]:
        """The same for many events, with bookmarks of what was told before until they are made."""
        making = with_signs_of_life(self._made_aside(notice, full=full), BOOKMARK_S)
        async with aclosing(making) as signs:
            async for made in signs:
                for response in made or []:
                    yield response
                if made is None and after is not None:
                    yield response_of(after, [])

    async def _made_aside(self, notice: Notice, *, full: bool) -> list[bytes]:
        async with self._turn:
            return await asyncio.to_thread(lambda: self._responses(notice, full=full))


def add_watch(server: grpc.aio.Server, watching: Watching) -> None:
    """Adds the service; its responses are bytes already."""
    method: Any = grpc.unary_stream_rpc_method_handler(
        WatchServicer(watching).Watch,
        request_deserializer=watch_pb2.WatchRequest.FromString,
        response_serializer=None,
    )
    server.add_registered_method_handlers(SERVICE, {"Watch": method})


def add_watch_figures(registry: CollectorRegistry, tailer: Tailer) -> None:
    """Adds how many follow the changes, and how late they may be told."""
    followers = Gauge(
        "mds_followers", "Subscriptions to changes on this replica.", registry=registry
    )
    followers.set_function(lambda: tailer.followers)
    lag = Gauge(
        "mds_tailer_lag_seconds", "Since the tailer last saw the database.", registry=registry
    )
    lag.set_function(lambda: tailer.lag_s)


def start_of(position: Any) -> Position | None:
    """After which position; None: from now on.

    Raises:
        Refused: INVALID_FIELD.
    """
    if position.revision < 0 or position.epoch < 0:
        found = f"{position.store_id[:40]}/{position.epoch}/{position.revision}"
        raise Refused.wrong_fields(
            [WrongField("position", found, "a position that this service has sent")]
        )
    return position_of(position) if position.revision or position.store_id else None


def filter_of(request: watch_pb2.WatchRequest) -> WatchFilter:
    """What a request wants to be told.

    Raises:
        Refused: INVALID_FILTER; INVALID_FIELD, for a kind that the protocol has no word for, or
            that a filter cannot be of.
    """
    kinds = (KINDS.member(number, field="kinds") for number in request.kinds)
    return wanted_by(kinds, request.id_prefix, request.filter)


def responses_of(notice: Notice, *, full: bool) -> Iterator[bytes]:
    """The messages of a notice: about as large as is good for the wire, and of whole revisions.

    A revision of more than `LARGEST_REVISION_BYTES` comes in parts, of which only the last has
    its position: who resumes before that gets it again.
    """
    if not notice.events:
        yield response_of(notice.position, [])
        return
    parts: list[bytes] = []
    size, revision = 0, notice.events[0].change.revision
    for event in notice.events:
        is_new = event.change.revision > revision
        if size > (MESSAGE_BYTES if is_new else LARGEST_REVISION_BYTES):
            yield response_of(notice.position, parts, revision if is_new else revision - 1)
            parts, size = [], 0
        revision = event.change.revision
        part = entry_of(EVENTS_TAG, event_message(event, full=full).SerializeToString())
        parts.append(part)
        size += len(part)
    yield response_of(notice.position, parts)


def response_of(position: Position, parts: list[bytes], revision: int | None = None) -> bytes:
    message = position_message(position)
    if revision is not None:
        message.revision = revision
    head = watch_pb2.WatchResponse(position=message).SerializeToString()
    return b"".join([head, *parts])


def event_message(event: Event, *, full: bool) -> watch_pb2.Event:
    change = event.change
    message = watch_pb2.Event(
        revision=change.revision,
        time=time_message(change.time_us),
        kind=KINDS.number[change.kind],
        name=change.kind.name_of(event.id),
        action=ACTIONS[event.action],
        author=change.author,
        reason=change.reason,
        former_name=change.kind.name_of(event.former_id) if event.former_id else "",
    )
    if full and event.action is not EventAction.LEFT and change.subject is not None:
        resource: Any = getattr(message, change.kind.value)
        resource.CopyFrom(subject_message(change))
    return message


def subject_message(change: Change) -> Message:
    subject = change.subject
    if isinstance(subject, ControlUnitStatus):
        return control_unit_status_message(subject, contact=change.contact, health=change.health)
    if isinstance(subject, Session):
        return unit_server_status_message(subject)
    if isinstance(subject, Operation):
        return operation_message(subject)
    assert subject is not None
    return to_message(subject)
