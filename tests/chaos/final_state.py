"""What is true in the end, read through the API when all is well again."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping

import msgspec
from mds.v1.history_pb2 import ChangeAction, ListChangeSetsRequest, ListChangesRequest
from mds.v1.kind_pb2 import KIND_VARIABLE
from mds.v1.operation_pb2 import GetOperationRequest, OperationPhase
from mds.v1.operation_step_pb2 import ListOperationStepsRequest, StepState
from mds.v1.overview_pb2 import GetOverviewRequest
from mds.v1.position_pb2 import Position
from mds.v1.variable_pb2 import ListVariablesRequest
from mds.v1.watch_pb2 import WatchRequest

from control_units.client import Client, NotFound
from tests.chaos.clients.events import told
from tests.watch.records import Told

PAGE = 1_000
WATCH_S = 120.0
"""For a round; of more than some thousand revisions, the time that they are told in."""
REVISIONS_A_SECOND = 50.0


class NeverEnds(Exception):
    """The end cannot be read for a reason that must never be; the message says it."""


class ChangeSet(msgspec.Struct, frozen=True):
    """What one call of a person or a program changed."""

    revision: int
    request_id: str
    method: str
    resources: int


class Version(msgspec.Struct, frozen=True):
    """What one change made of a probe's resource.

    Attributes:
        value: None: the change left it as it was, or cannot tell.
    """

    revision: int
    name: str
    action: str
    request_id: str
    value: str | None


class Current(msgspec.Struct, frozen=True):
    """A probe's resource as it is read in the end."""

    revision: int
    etag: str
    value: str


class Step(msgspec.Struct, frozen=True):
    """One step of an operation; times in µs of the database's clock, 0: never.

    Attributes:
        minor_state: how it has ended, as one word.
        deadline_us: when it counts as failed, if the unit has not come there.
    """

    unit: str
    level: int
    state: str
    attempts: int
    message: str
    began_us: int
    ended_us: int
    minor_state: str = ""
    deadline_us: int = 0


class Operation(msgspec.Struct, frozen=True):
    phase: str
    message: str
    steps: tuple[Step, ...]


class FinalState(msgspec.Struct, frozen=True):
    """
    Attributes:
        begin: revision after which the round began.
        end: revision at which all this was read.
        told: everything after `begin`, by one watch in peace.
        change_sets: after `begin`, by revision.
        versions: of resources of probes, by revision.
        resources: of probes, by name.
        operations: that were ordered and are there, by name.
    """

    begin: int
    end: int
    epoch: int = 1
    told: tuple[Told, ...] = ()
    change_sets: tuple[ChangeSet, ...] = ()
    versions: tuple[Version, ...] = ()
    resources: Mapping[str, Current] = {}
    operations: Mapping[str, Operation] = {}


async def position_now(client: Client) -> Position:
    """Where the store stands; what a round begins with."""
    return (await client.overview.GetOverview(GetOverviewRequest())).position


async def read_final_state(
    client: Client, begin: Position, *, probes: str, operations: Iterable[str] = ()
) -> FinalState:
    """
    Args:
        begin: `position_now` before the round.
        probes: prefix of ids of the probes' variables.
        operations: names of those that were ordered.

    Raises:
        ClientError: it cannot be read.
        NeverEnds: a watch does not come to the end, or the store is another one.
    """
    end = await position_now(client)
    if (end.store_id, end.epoch) != (begin.store_id, begin.epoch):
        raise NeverEnds(f"the store has begun a new epoch: {end}; it was {begin}")
    ordered = {name: await _operation(client, name) for name in sorted(set(operations))}
    return FinalState(
        begin=begin.revision,
        end=end.revision,
        epoch=end.epoch,
        told=await _told(client, begin, end.revision),
        change_sets=tuple([each async for each in _change_sets(client, begin, end)]),
        versions=tuple([each async for each in _versions(client, begin, end, probes)]),
        resources=await _resources(client, probes),
        operations={name: each for name, each in ordered.items() if each is not None},
    )


async def _told(client: Client, begin: Position, until: int) -> tuple[Told, ...]:
    found: list[Told] = []
    position = begin
    within_s = max(WATCH_S, (until - begin.revision) / REVISIONS_A_SECOND)
    try:
        async with asyncio.timeout(within_s):
            while position.revision < until:  # a stream that is old enough ends, and is resumed
                async for reached, events in _words(client, position):
                    found += [each for each in events if each.revision <= until]
                    position = reached
                    if position.revision >= until:
                        break
    except TimeoutError:
        raise NeverEnds(
            f"a watch in peace after {begin.revision} came to {position.revision} only, of {until}, "
            f"in {within_s:.0f} s"
        ) from None
    return tuple(found)


async def _words(client: Client, position: Position) -> AsyncIterator[tuple[Position, list[Told]]]:
    """What one stream says, a whole revision at a time at least."""
    stream = client.watch.Watch(WatchRequest(position=position))
    events: list[Told] = []
    try:
        async for word in stream:
            events += map(told, word.events)
            if word.HasField("position"):
                yield word.position, events
                events = []
    finally:
        stream.cancel()


async def _change_sets(client: Client, begin: Position, end: Position) -> AsyncIterator[ChangeSet]:
    request = ListChangeSetsRequest(
        page_size=PAGE, since=str(begin.revision), until=str(end.revision), order_by="revision"
    )
    while True:
        page = await client.history.ListChangeSets(request)
        for each in page.change_sets:
            if each.revision > begin.revision:
                count = each.created + each.updated + each.deleted
                yield ChangeSet(each.revision, each.request_id, each.method, count)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def _versions(
    client: Client, begin: Position, end: Position, probes: str
) -> AsyncIterator[Version]:
    request = ListChangesRequest(
        page_size=PAGE, kinds=[KIND_VARIABLE], id_prefix=probes, order_by="revision",
        since=str(begin.revision), until=str(end.revision),
    )  # fmt: skip
    while True:
        page = await client.history.ListChanges(request)
        for each in page.changes:
            if each.change_set.revision > begin.revision:
                values = {one.path: one.after for one in each.differences}
                yield Version(
                    each.change_set.revision,
                    each.name,
                    ChangeAction.Name(each.action).removeprefix("CHANGE_ACTION_"),
                    each.change_set.request_id,
                    values.get("description"),
                )
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def _resources(client: Client, probes: str) -> dict[str, Current]:
    listed = await client.variables.ListVariables(
        ListVariablesRequest(id_prefix=probes, page_size=PAGE)
    )
    return {
        each.name: Current(each.revision, each.etag, each.description) for each in listed.variables
    }


async def _operation(client: Client, name: str) -> Operation | None:
    """None: it is not there, which the checker knows to judge."""
    try:
        operation = await client.operations.GetOperation(GetOperationRequest(name=name))
    except NotFound:
        return None
    steps: list[Step] = []
    request = ListOperationStepsRequest(operation=name, page_size=PAGE)
    while True:
        page = await client.operations.ListOperationSteps(request)
        steps += [
            Step(
                each.control_unit,
                each.level,
                StepState.Name(each.state).removeprefix("STEP_STATE_"),
                each.attempts,
                each.message,
                each.start_time.ToMicroseconds(),
                each.end_time.ToMicroseconds(),
                each.minor_state,
                each.deadline.ToMicroseconds(),
            )
            for each in page.steps
        ]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    phase = OperationPhase.Name(operation.phase).removeprefix("OPERATION_PHASE_")
    return Operation(phase, operation.message, tuple(steps))
