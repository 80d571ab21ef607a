"""The one stream between a unit server and a metadata server."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from google.protobuf.duration_pb2 import Duration
from mds.v1 import position_pb2, registration_pb2

from control_units.client import ClientError, Stream, Unreachable
from control_units.hosted_unit import HostedUnit
from control_units.hosting import HostedClasses, Hosting
from control_units.signs_of_life import SignsOfLife

Word = Callable[[registration_pb2.AttachResponse, float | None], None]
"""Told a word, and from when the lease in it counts, by the steady clock, s; None: not at all."""

AttachStream = Stream[registration_pb2.AttachRequest, registration_pb2.AttachResponse]

FLUSH_S = 0.02
"""Reports wait so long for others that go in the same message."""

LAST_REPORTS_S = 2.0
"""A good-bye waits no longer for its last reports to be written: the session's end matters more."""

_SILENT_BEATS = 3.0
"""After so many heartbeats without any answer the stream counts as broken."""


class Attachment:
    """One stream, from hello to its end; heartbeats, reports, values and datasets go up."""

    def __init__(
        self,
        stream: AttachStream,
        hosting: Hosting,
        classes: HostedClasses,
        *,
        heartbeat_s: float,
        on_word: Word,
    ) -> None:
        self._stream = stream
        self._hosting = hosting
        self._classes = classes
        self._heartbeat_s = heartbeat_s
        self._on_word = on_word
        self._signs = SignsOfLife()
        self._missing: list[str] = []
        self._letting_go: list[tuple[int, dict[str, list[HostedUnit]]]] = []
        self._goodbye = ""
        self._goodbye_due = 0.0

    async def run(self, session: str, position: position_pb2.Position, missing: list[str]) -> None:
        """Serves the stream until it ends; after a good-bye it returns.

        Raises:
            ClientError: why it ended otherwise.
        """
        self._missing = missing
        hello = registration_pb2.Hello(
            session=session,
            position=position,
            sent_us=self._signs.send(),
            tells_let_go=True,
        )
        ended: ClientError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(hello))
                await self._read()
                writer.cancel()
        except* ClientError as group:
            ended = next(each for each in group.exceptions if isinstance(each, ClientError))
        finally:
            self._stream.cancel()
        if ended is not None and not self._goodbye:
            raise ended

    def say_goodbye(self, message: str) -> None:
        """Ends the stream and the session, as soon as all reports are written for good."""
        self._goodbye = message
        self._goodbye_due = time.monotonic() + LAST_REPORTS_S
        self._hosting.reported.set()

    async def _read(self) -> None:
        silence = self._heartbeat_s * _SILENT_BEATS
        while True:
            try:
                async with asyncio.timeout(silence):
                    word = await anext(self._stream)
            except StopAsyncIteration:
                if self._goodbye:
                    return
                raise Unreachable(self._stream.address, "it has closed the stream.") from None
            except TimeoutError:
                raise Unreachable(
                    self._stream.address, f"it has said nothing for {silence:g} s."
                ) from None
            self._take(word)

    def _take(self, word: registration_pb2.AttachResponse) -> None:
        outbox = self._hosting.outbox
        for refusal in word.refusals:
            if refusal.control_unit and not refusal.of_values:
                outbox.refuse(refusal.control_unit.removeprefix("control_units/"))
        if word.acknowledged_sequence:
            outbox.acknowledge(word.acknowledged_sequence)
        self._missing.extend(word.missing_datasets)
        if word.report_all:
            self._hosting.report_all()
        is_renewed = word.HasField("lease")
        self._on_word(word, self._signs.answered(word.lease_from_us) if is_renewed else None)
        if word.removal:
            self._letting_go.append((word.removal, self._hosting.leaving(word.removed)))
            self._hosting.reported.set()
        if outbox.has_due or self._missing or self._goodbye:
            self._hosting.reported.set()

    async def _write(self, hello: registration_pb2.Hello) -> None:
        await self._send(hello=hello)
        for reports in self._hosting.outbox.begin_stream():
            await self._send(reports=reports)
        for values in self._hosting.values.begin_stream():
            await self._send(values=values)
        # Unit servers that came back together beat apart.
        beat_due = time.monotonic() + random.uniform(0.0, self._heartbeat_s)
        while True:
            await self._flush()
            now = time.monotonic()
            if self._goodbye and (self._hosting.outbox.is_empty or now >= self._goodbye_due):
                await self._send(goodbye=registration_pb2.Goodbye(message=self._goodbye))
                await self._stream.done_writing()
                return
            if now >= beat_due:
                await self._beat(now - beat_due)
                beat_due = max(beat_due + self._heartbeat_s, now)
            due = self._hosting.values.due
            await self._wait_for_work(
                min(beat_due, self._goodbye_due or beat_due, beat_due if due is None else due)
            )

    async def _flush(self) -> None:
        if self._missing:
            missing, self._missing = self._missing, []
            await self._send(datasets=self._classes.datasets(missing))
        for removal, leaving in list(self._letting_go):
            await self._tell_let_go(removal, leaving)
        self._letting_go = [each for each in self._letting_go if each[1]]
        for reports in self._hosting.outbox.collect():
            await self._send(reports=reports)
        for values in self._hosting.values.collect():
            await self._send(values=values)

    async def _tell_let_go(self, removal: int, leaving: dict[str, list[HostedUnit]]) -> None:
        """Says which of these have let go, and forgets them."""
        gone = [name for name, units in leaving.items() if all(u.has_let_go for u in units)]
        for name in gone:
            del leaving[name]
        if gone:
            await self._send(let_go=registration_pb2.LetGo(removal=removal, control_units=gone))

    async def _beat(self, late_s: float) -> None:
        age = Duration()
        age.FromNanoseconds(round(late_s * 1e9))
        beat = registration_pb2.Heartbeat(age=age, digest=self._hosting.digest())
        beat.sent_us = self._signs.send()
        await self._send(heartbeat=beat)

    async def _wait_for_work(self, until: float) -> None:
        reported = self._hosting.reported
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await reported.wait()
        except TimeoutError:
            return
        await asyncio.sleep(FLUSH_S)
        reported.clear()

    async def _send(self, **word: object) -> None:
        await self._stream.write(registration_pb2.AttachRequest(**word))  # type: ignore[arg-type]
