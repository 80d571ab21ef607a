"""How unit servers come, stay and go, on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import structlog
from mds.v1 import registration_pb2, registration_pb2_grpc

from metadata_server.api.calls import Context, calling, client_of, tell_position
from metadata_server.api.errors import unexpected
from metadata_server.api.messages.configuration import ConfigurationMessages
from metadata_server.api.messages.position import position_of
from metadata_server.api.messages.registration import (
    published_of,
    registered_message,
    registering_of,
    reports_of,
    units_of,
    values_of,
    word_message,
)
from metadata_server.domain.change import Caller
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.life.attachment import Attachment
from metadata_server.services.life.attachments import Attachments
from metadata_server.services.life.registration import Registration
from metadata_server.services.life.reports import steady_now_us

HELLO_S = 10.0
MAXIMUM_REPORTS = 1_000
"""Units in a message of reports, or of values."""
Requests = AsyncIterator[registration_pb2.AttachRequest]
log = structlog.get_logger()


class RegistrationServicer(registration_pb2_grpc.RegistrationServicer):
    """Converts; never decides."""

    def __init__(
        self, registration: Registration, attachments: Attachments, timing: Timing
    ) -> None:
        self._registration = registration
        self._attachments = attachments
        self._timing = timing
        self._configurations = ConfigurationMessages()

    async def Register(
        self, request: registration_pb2.RegisterRequest, context: Context
    ) -> registration_pb2.RegisterResponse:
        call = calling.get()
        caller = Caller(
            principal=call.principal,
            method="Registration.Register",
            reason=request.reason,
            request_id=call.named.request_id,
            is_repeatable=False,
            client=client_of(context),
        )
        answer = await self._registration.register(registering_of(request), caller)
        tell_position(context, answer.position)
        return registered_message(answer.value, self._timing, self._configurations)

    async def Attach(
        self, request_iterator: Requests, context: Context
    ) -> AsyncIterator[registration_pb2.AttachResponse]:
        requests = aiter(request_iterator)
        hello = await hello_of(requests)
        position = position_of(hello.position) if hello.position.store_id else None
        attaching = self._attachments.attach(
            hello.session, position, hello.sent_us, tells_let_go=hello.tells_let_go
        )
        async with attaching as attachment:
            listener = asyncio.create_task(listen(requests, attachment))
            try:
                async with aclosing(attachment.words()) as words:
                    async for word in words:
                        yield word_message(word, self._configurations)
            finally:
                listener.cancel()
                await asyncio.wait({listener})


async def hello_of(requests: Requests) -> registration_pb2.Hello:
    """The first word of a stream.

    Raises:
        Refused: INVALID_FIELD, when it is none, or does not come.
    """
    try:
        async with asyncio.timeout(HELLO_S):
            first = await anext(requests, None)
    except TimeoutError:
        first = None
    if first is None or first.WhichOneof("word") != "hello":
        raise wrong_word(first, f"hello, within {HELLO_S:g} s of opening the stream")
    return first.hello


async def listen(requests: Requests, attachment: Attachment) -> None:
    """Passes on what a unit server says, until it says no more."""
    try:
        async for request in requests:
            await take(request, attachment)
    except Refused as refused:
        attachment.end(refused)
    except Exception as error:  # the top of a task of its own
        log.exception("listening_failed", unit_server=attachment.session.unit_server)
        attachment.end(unexpected(error))
    else:
        attachment.end(None)


async def take(request: registration_pb2.AttachRequest, attachment: Attachment) -> None:
    """Passes one word on.

    Raises:
        Refused: INVALID_FIELD, for a word that cannot come here; DATABASE_UNAVAILABLE.
    """
    match request.WhichOneof("word"):
        case "heartbeat":
            beat = request.heartbeat
            age = beat.age.ToMicroseconds() / 1_000_000
            attachment.heartbeat(age, beat.digest, beat.sent_us)
        case "reports":
            check_count(len(request.reports.reports), field="reports.reports")
            await attachment.report(reports_of(request.reports.reports, steady_now_us()))
        case "values":
            check_count(len(request.values.units), field="values.units")
            await attachment.value(values_of(request.values.units, steady_now_us()))
        case "datasets":
            await attachment.publish(published_of(request.datasets.datasets))
        case "let_go":
            attachment.leaving.let_go(request.let_go.removal, units_of(request.let_go))
        case "goodbye":
            await attachment.say_goodbye()
        case _:
            expected = (
                "heartbeat, reports, values, datasets, let_go or goodbye, after the one hello"
            )
            raise wrong_word(request, expected)


def check_count(count: int, *, field: str) -> None:
    """
    Raises:
        Refused: INVALID_FIELD, for more than a message may hold.
    """
    if count > MAXIMUM_REPORTS:
        expected = f"at most {MAXIMUM_REPORTS} in a message"
        raise Refused.wrong_fields([WrongField(field, str(count), expected)])


def wrong_word(request: registration_pb2.AttachRequest | None, expected: str) -> Refused:
    found = "" if request is None else request.WhichOneof("word") or ""
    return Refused.wrong_fields([WrongField("word", found, expected)])
