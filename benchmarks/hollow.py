"""Hollow unit servers: they say all that real ones say and control nothing.

Runs as a process of its own (`python -m benchmarks.hollow --help`), so that the server under
measurement shares no interpreter with its clients. Speaks through a pipe: one JSON line on
standard output for each milestone; a line on standard input ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
from google.protobuf.duration_pb2 import Duration
from mds.v1 import registration_pb2 as wire
from mds.v1.registration_pb2_grpc import RegistrationStub
from mds.v1.state_pb2 import (
    STATE_INITIALIZED,
    STATE_LOADED,
    STATE_RUNNING,
    STATE_STOPPED,
    STATE_UNSPECIFIED,
    State,
)

from benchmarks.facility import CLASS, DATASET, DATASET_HASH, server_id
from control_units.client import Refused
from control_units.client.backoff import Backoff
from control_units.client.errors import from_rpc_error

if TYPE_CHECKING:
    from mds.v1.registration_pb2_grpc import RegistrationAsyncStub  # only its stubs have it

UP = (STATE_LOADED, STATE_INITIALIZED, STATE_RUNNING)
"""The way up; a unit that has run goes to and fro between RUNNING and STOPPED."""
CONNECTIONS = 4
COMES_AGAIN = frozenset({grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE})
"""The server is too busy, is stopping, has had a stream for long enough, or is not there."""


def way(state: State.ValueType, wanted: State.ValueType) -> Sequence[State.ValueType]:
    """The states through which a unit comes to the one that is wanted of it."""
    if state in {STATE_RUNNING, STATE_STOPPED}:
        return (wanted,) if wanted != state and wanted in {STATE_RUNNING, STATE_STOPPED} else ()
    first = UP.index(state) + 1 if state in UP else 0
    last = UP.index(wanted) if wanted in UP else 0
    return UP[first : last + 1]


@dataclass(slots=True)
class HollowServer:
    """One unit server without devices."""

    number: int
    stub: RegistrationAsyncStub
    there: asyncio.Event = field(default_factory=asyncio.Event)
    states: dict[str, State.ValueType] = field(default_factory=dict)
    sequence: int = 0
    untaken: dict[str, wire.UnitReport] = field(default_factory=dict)
    outgoing: asyncio.Queue[wire.AttachRequest | None] = field(
        default_factory=lambda: asyncio.Queue(100)
    )
    period_s: float = 5.0
    leaves: bool = False
    tries: Backoff = field(default_factory=lambda: Backoff(first=0.2, longest=5.0))

    async def live(self, incarnation: str) -> None:
        """Registers, brings its units to where they are wanted, then and whenever that changes,
        and beats until it is told to end. It comes back from whatever breaks."""
        request = wire.RegisterRequest(
            unit_server=f"unit_servers/{server_id(self.number)}",
            incarnation=f"{incarnation}-{self.number}",
            classes=[wire.HostedClass(implementation=CLASS, dataset_hash=DATASET_HASH)],
            host="hollow",
            pid=self.number,
            version="bench",
        )
        while await self.stay(await self.register(request)):
            self.states.clear()
            self.untaken.clear()

    async def register(self, request: wire.RegisterRequest) -> wire.RegisterResponse:
        """Registers, coming again as often as the server is too busy, as real ones do."""
        while True:
            try:
                reply = await self.stub.Register(request, timeout=120)
            except grpc.aio.AioRpcError as error:
                await self.pause(error)
            else:
                self.tries.reset()
                return reply

    async def pause(self, error: grpc.aio.AioRpcError) -> None:
        """Waits as long as the server asks for, and at random beyond.

        Raises:
            AioRpcError: it is none that waiting mends.
        """
        if self.leaves or error.code() not in COMES_AGAIN:
            raise error
        failure = from_rpc_error(error, "")
        asked = failure.retry_after if isinstance(failure, Refused) else None
        await asyncio.sleep(self.tries.next(at_least=asked or 0.0))

    async def stay(self, reply: wire.RegisterResponse) -> bool:
        """Attaches, again whenever its stream breaks; whether its session ended without it."""
        self.period_s = reply.heartbeat_period.ToTimedelta().total_seconds()
        hello = wire.Hello(session=reply.session, position=reply.position)
        if reply.missing_datasets:
            await self.publish()
        await self.converge(reply.assignments)
        while True:
            try:
                await self.attach(hello)
            except grpc.aio.AioRpcError as error:
                if self.leaves:
                    return False
                while not self.outgoing.empty():  # what no server has taken is said anew
                    self.outgoing.get_nowait()
                failure = from_rpc_error(error, "")
                if isinstance(failure, Refused) and failure.reason == "SESSION_ENDED":
                    return True
                await self.pause(error)
                await self.outgoing.put(reports_of(self.untaken.values()))
            else:
                return False

    async def attach(self, hello: wire.Hello) -> None:
        """One stream, from the hello to its end."""
        beating = asyncio.create_task(self.beat())
        try:
            async for response in self.stub.Attach(self.said(hello)):
                self.tries.reset()
                hello.position.CopyFrom(response.position)
                taken = response.acknowledged_sequence
                left = self.untaken.items()
                self.untaken = {unit: each for unit, each in left if each.sequence > taken}
                if not self.untaken:
                    self.there.set()
                if response.missing_datasets:
                    await self.publish()
                await self.converge(response.assignments)
        finally:
            beating.cancel()

    async def publish(self) -> None:
        published = wire.PublishedDatasets(datasets=[DATASET])
        await self.outgoing.put(wire.AttachRequest(datasets=published))

    async def converge(self, assignments: Iterable[wire.Assignment]) -> None:
        """Reports each step of all units that have any, as a real runner does: in one message a
        step. One that is there already says which generation it has reached."""
        ways = []
        for each in assignments:
            state = self.states.get(each.control_unit, STATE_UNSPECIFIED)
            ways.append((each, deque(way(state, each.desired_state) or (state,))))
        while ways:
            reports = [self.report(each, states.popleft()) for each, states in ways]
            self.untaken |= {each.control_unit: each for each in reports}
            await self.outgoing.put(reports_of(reports))
            ways = [(each, states) for each, states in ways if states]

    def report(self, assignment: wire.Assignment, state: State.ValueType) -> wire.UnitReport:
        self.states[assignment.control_unit] = state
        self.sequence += 1
        return wire.UnitReport(
            control_unit=assignment.control_unit,
            sequence=self.sequence,
            state=state,
            reached_generation=assignment.generation,
            fingerprint=assignment.fingerprint,
            dataset_hash=DATASET_HASH,
            age=Duration(nanos=1_000_000),
        )

    async def beat(self) -> None:
        await asyncio.sleep(self.period_s * (self.number % 100) / 100)
        while True:
            await asyncio.sleep(self.period_s)
            await self.outgoing.put(wire.AttachRequest(heartbeat=wire.Heartbeat()))

    async def said(self, hello: wire.Hello) -> AsyncIterator[wire.AttachRequest]:
        yield wire.AttachRequest(hello=hello)
        while (message := await self.outgoing.get()) is not None:
            yield message

    async def end(self) -> None:
        self.leaves = True
        await self.outgoing.put(wire.AttachRequest(goodbye=wire.Goodbye()))
        await self.outgoing.put(None)


def reports_of(reports: Iterable[wire.UnitReport]) -> wire.AttachRequest:
    return wire.AttachRequest(reports=wire.Reports(reports=reports))


def tell(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def run(address: str, servers: int, incarnation: str) -> None:
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", 2**26)]
    channels = [grpc.aio.insecure_channel(address, options=options) for _ in range(CONNECTIONS)]
    stubs = [RegistrationStub(channel) for channel in channels]
    hollow = [HollowServer(n, stubs[n % CONNECTIONS]) for n in range(servers)]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    tell(event="began", at=time.monotonic())
    async with asyncio.TaskGroup() as tasks:
        for one in hollow:
            tasks.create_task(one.live(incarnation))
        await asyncio.gather(*(one.there.wait() for one in hollow))
        tell(event="running", at=time.monotonic())
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(one.end() for one in hollow))
    for channel in channels:
        await channel.close()
    tell(event="ended", at=time.monotonic())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True, help="host:port of the replica")
    parser.add_argument("--servers", type=int, required=True, help="how many unit servers")
    parser.add_argument("--incarnation", default="1", help="tells one run from another")
    given = parser.parse_args()
    asyncio.run(run(given.address, given.servers, given.incarnation))


if __name__ == "__main__":
    main()
