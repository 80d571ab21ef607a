"""Processes that want to hold one unit server, one after the other: at most one may at a time.

They say what real unit servers say, by hand: what they believe, and when, is what is recorded.
"""

import asyncio
import contextlib
import random
import uuid
from enum import StrEnum
from typing import cast

from google.protobuf.duration_pb2 import Duration
from mds.v1 import registration_pb2 as wire
from mds.v1.state_pb2 import STATE_INITIALIZED, STATE_LOADED

from control_units.client import Client, ClientError, Refused, Stream
from tests.chaos.clients.outcomes import reason_of
from tests.chaos.history import Beat, Granted, Lost, Recorder, Reported

AttachStream = Stream[wire.AttachRequest, wire.AttachResponse]
CLASS = "chaos::Contested"
REGISTER_S = 10.0
REPORT_EVERY_S = 0.25
HELD_S = (0.3, 2.5)
TAKE_OVER = 0.005
"""Share of askings; a place whose holder has died is mostly had when its lease has run out."""
AGAIN_S = 0.1
CANCEL_AGAIN_S = 0.5
_SESSION_IS_OVER = ("SESSION_ENDED", "HISTORY_RESET", "HISTORY_TRIMMED")


async def cancelled(task: asyncio.Task[None]) -> None:
    """Cancels until it has ended: a TaskGroup of Python 3.11 that a child's failure ends in the same
    moment takes a cancellation for its own, and goes on."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_S)
    if not task.cancelled():
        task.result()


class Leaving(StrEnum):
    """How a life of a contender ends, if nobody else ends it."""

    GOOD_BYE = "good-bye"
    WITHOUT_A_WORD = "without a word"


class Contender:
    """One who wants a unit server again and again, each time as a new process would."""

    def __init__(
        self, name: str, address: str, recorder: Recorder, *, unit_server: str, unit: str
    ) -> None:
        self.name = name
        self._address = address
        self._recorder = recorder
        self._unit_server = unit_server
        self._unit = unit
        self._random = random.Random(name)

    async def contend_on(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            life = Life(self.name, self._address, self._recorder, self._unit_server, self._unit)
            try:
                await self._live(life, stop)
            finally:
                await life.close()
            await asyncio.sleep(self._random.uniform(0.1, 0.6))

    async def _live(self, life: "Life", stop: asyncio.Event) -> None:
        while not await life.register(take_over=self._random.random() < TAKE_OVER):
            if stop.is_set():
                return
            await asyncio.sleep(self._random.uniform(0.1, 0.4))
        leaving = self._random.choices(list(Leaving), weights=[6, 1])[0]
        holding = asyncio.create_task(life.hold())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait(
                {holding, stopping},
                timeout=self._random.uniform(*HELD_S),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            stopping.cancel()
            await cancelled(holding)
        await life.leave(leaving)


class Life:
    """From one registration to whatever ends it."""

    def __init__(
        self, name: str, address: str, recorder: Recorder, unit_server: str, unit: str
    ) -> None:
        self.name = name
        self._client = Client(address, principal=name, program="chaos")
        self._recorder = recorder
        self._unit_server = unit_server
        self._unit = unit
        self._incarnation = uuid.uuid4().hex
        self._session = ""
        self._position = wire.RegisterResponse().position
        self._beat_s = 5.0
        self._lease_s = 0.0
        self._lease_end = 0.0
        self._sequence = 0
        self._took_over = False
        self._sent: dict[int, float] = {}
        self._stream: AttachStream | None = None
        self.is_over = False

    async def close(self) -> None:
        await self._client.close()

    async def register(self, *, take_over: bool = False) -> bool:
        """Whether it has been let in."""
        request = wire.RegisterRequest(
            unit_server=self._unit_server,
            incarnation=self._incarnation,
            classes=[wire.HostedClass(implementation=CLASS)],
            host="chaos",
            version="1",
            take_over=take_over,
            reason="to see who holds it",
        )
        # Also where an earlier try that nobody answered has done it.
        self._took_over = self._took_over or take_over
        began = self._recorder.now()
        try:
            reply = await self._client.registration.Register(request, timeout=REGISTER_S)
        except ClientError:
            # Where nobody knows, it asks again as the same process: it may hold it already.
            return False
        self._session, self._position = reply.session, reply.position
        self._beat_s = reply.heartbeat_period.ToTimedelta().total_seconds()
        self._lease_s = reply.lease.ToTimedelta().total_seconds()
        self._lease_end = began + self._lease_s
        self._recorder.record(
            Granted(
                client=self.name, unit_server=self._unit_server, session=reply.session,
                fence=revision_of(self._client.position), began=began, ended=self._recorder.now(),
                lease_s=self._lease_s, took_over=self._took_over,
            )
        )  # fmt: skip
        return True

    async def hold(self) -> None:
        """Beats and reports, on one stream after the other, until it knows that it is over."""
        while not self.is_over:
            try:
                async with asyncio.timeout(max(0.0, self._lease_end - self._recorder.now())):
                    await self._attach()
            except TimeoutError:
                if self._recorder.now() >= self._lease_end:
                    self._lost("the lease ran out")
            except ClientError as error:
                if isinstance(error, Refused) and error.reason in _SESSION_IS_OVER:
                    self._lost(error.reason)
            await asyncio.sleep(AGAIN_S)

    async def leave(self, how: Leaving) -> None:
        """What a process does last."""
        if self.is_over:
            return
        if how is Leaving.GOOD_BYE:
            # From here on it believes nothing: its hardware has been let go of.
            self._lost("good-bye")
            with contextlib.suppress(ClientError, TimeoutError):
                async with asyncio.timeout(3.0):
                    await self._say_goodbye()
        else:
            # It may come to itself again for as long as its lease lasts.
            await asyncio.sleep(max(0.0, min(self._lease_end - self._recorder.now(), 1.0)))

    async def _attach(self) -> None:
        stream = cast("AttachStream", self._client.registration.Attach())
        self._stream = stream
        self._sent.clear()
        try:
            hello = wire.Hello(
                session=self._session, position=self._position, sent_us=self._now_us()
            )
            await stream.write(wire.AttachRequest(hello=hello))
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write(stream))
                await self._read(stream)
                writing.cancel()
        except* ClientError as group:
            raise _first(group) from None
        finally:
            stream.cancel()

    async def _read(self, stream: AttachStream) -> None:
        async for word in stream:
            now = self._recorder.now()
            if word.HasField("position"):
                self._position = word.position
            if word.HasField("lease"):
                self._lease_s = word.lease.ToTimedelta().total_seconds()
                since = word.lease_from_us / 1_000_000 or now
                self._lease_end = since + self._lease_s
                self._recorder.record(
                    Beat(
                        client=self.name, unit_server=self._unit_server, session=self._session,
                        at=since, lease_s=self._lease_s,
                    )
                )  # fmt: skip
            for sequence in [each for each in self._sent if each <= word.acknowledged_sequence]:
                self._recorder.record(
                    Reported(
                        client=self.name, unit_server=self._unit_server, session=self._session,
                        sequence=sequence, began=self._sent.pop(sequence), ended=now,
                    )
                )  # fmt: skip

    async def _write(self, stream: AttachStream) -> None:
        beat_due = self._recorder.now()
        while True:
            if self._recorder.now() >= beat_due:
                beat = wire.Heartbeat(sent_us=self._now_us())
                await stream.write(wire.AttachRequest(heartbeat=beat))
                beat_due += self._beat_s
            self._sequence += 1
            report = wire.UnitReport(
                control_unit=self._unit,
                sequence=self._sequence,
                state=STATE_LOADED if self._sequence % 2 else STATE_INITIALIZED,
                age=Duration(nanos=1_000),
            )
            self._sent[self._sequence] = self._recorder.now()
            await stream.write(wire.AttachRequest(reports=wire.Reports(reports=[report])))
            await asyncio.sleep(REPORT_EVERY_S)

    async def _say_goodbye(self) -> None:
        stream = cast("AttachStream", self._client.registration.Attach())
        try:
            hello = wire.Hello(session=self._session, position=self._position)
            await stream.write(wire.AttachRequest(hello=hello))
            await stream.write(wire.AttachRequest(goodbye=wire.Goodbye(message="enough")))
            await stream.done_writing()
            async for _ in stream:
                pass
        finally:
            stream.cancel()

    def _now_us(self) -> int:
        return int(self._recorder.now() * 1_000_000)

    def _lost(self, reason: str) -> None:
        self.is_over = True
        self._recorder.record(
            Lost(
                client=self.name, unit_server=self._unit_server, session=self._session,
                at=self._recorder.now(), reason=reason,
            )
        )  # fmt: skip


def _first(group: BaseExceptionGroup[ClientError]) -> ClientError:
    """The one that tells most: that the session is over, if any does."""
    found = [each for each in group.exceptions if isinstance(each, ClientError)]
    return max(found, key=lambda each: reason_of(each) in _SESSION_IS_OVER)


def revision_of(position: str) -> int:
    """Of the transaction that answered: that of a reply may be as old as what was read first."""
    return int(position.rpartition("/")[2])
