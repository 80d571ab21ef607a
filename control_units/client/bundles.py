"""Many resources at once: a bundle on its way to a server, or from it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from google.protobuf.message import Message
from mds.v1.bundle_pb2 import (
    ApplyProgress,
    ApplyRequest,
    ApplySummary,
    BundleHeader,
    BundleItem,
    ExportRequest,
    ItemResult,
    Problem,
)

from control_units.client.backoff import Backoff
from control_units.client.client import Client
from control_units.client.errors import ClientError, Refused, Unreachable

CHUNK_BYTES = 1_000_000
"""Size up to which items travel together; a larger item travels alone."""

LARGEST_ITEM_BYTES = 4_000_000
"""What a server takes in one message, with something left for the message itself."""

PATIENCE_S = 120.0
MOST_BROKEN = 3
"""So many servers may end while they have a bundle: one that is too much for the memory of one is
too much for all, which it would end one after the other."""
MOST_TOLD = 5
"""Problems in the text of an error; its outcome has all."""

Progress = Callable[[ApplyProgress], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a server said to a bundle."""

    summary: ApplySummary
    results: list[ItemResult]
    problems: list[Problem]


class NotApplied(ClientError):
    """A bundle had problems, and nothing of it was applied.

    Attributes:
        outcome: with all problems.
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        problems = [f"{each.source or each.name}: {each.message}" for each in outcome.problems]
        more = f" (and {len(problems) - MOST_TOLD} more)" if len(problems) > MOST_TOLD else ""
        super().__init__(f"Nothing was applied. {' '.join(problems[:MOST_TOLD])}{more}")


async def apply_resources(
    client: Client, resources: Iterable[Message], header: BundleHeader, *, timeout: float | None
) -> Outcome:
    """Applies resources, or items of a bundle; all of them or nothing.

    Raises:
        NotApplied: something is wrong with some of them.
        ClientError: it was refused as a whole, or no server took it.
    """
    items = [item_of(each, f"[{place}]") for place, each in enumerate(resources)]
    patience = PATIENCE_S if timeout is None else timeout
    outcome = await apply_bundle(client, items, header, progress=_say_nothing, timeout=patience)
    if not outcome.summary.applied and not header.validate_only:
        raise NotApplied(outcome)
    return outcome


def item_of(resource: Message, source: str) -> BundleItem:
    """An item of a bundle; `source` is its place, where it does not know it itself."""
    if isinstance(resource, BundleItem):
        return resource
    for field in BundleItem.DESCRIPTOR.oneofs_by_name["resource"].fields:
        if field.message_type and field.message_type.full_name == resource.DESCRIPTOR.full_name:
            fields: dict[str, Any] = {field.name: resource}
            return BundleItem(source=source, **fields)
    raise TypeError(f"{resource.DESCRIPTOR.full_name} is no resource that a bundle can have.")


async def exported(
    client: Client, request: ExportRequest, *, timeout: float | None
) -> AsyncIterator[Any]:
    """Resources as of one position, in an order in which they can be applied."""
    stream = client.bundles.Export(request, timeout=timeout)
    async for response in stream:
        for item in response.items:
            kind = item.WhichOneof("resource")
            if kind is not None:
                yield getattr(item, kind)


def _say_nothing(_: ApplyProgress) -> None:
    pass


async def apply_bundle(
    client: Client,
    items: Sequence[BundleItem],
    header: BundleHeader,
    *,
    progress: Progress,
    timeout: float = PATIENCE_S,
) -> Outcome:
    """Sends a bundle, all of it or nothing; a broken connection is tried again, which is safe
    because the request id stays the same.

    Args:
        header: how to apply it; gets a request id, if it has none, and the number of items.
        progress: is told how far a server is.
        timeout: for all of it; that no server takes it is told after the client's own, in which
            the time does not count that servers were at work.

    Raises:
        ClientError: it was refused as a whole, or no server took it.
    """
    header.request_id = header.request_id or uuid.uuid4().hex
    header.item_count = len(items)
    backoff = Backoff(first=0.2, longest=2.0)
    give_up = time.monotonic() + client.caller.timeout
    broken = 0
    try:
        async with asyncio.timeout(timeout):
            while True:
                sending, began = _Sending(items, header), time.monotonic()
                try:
                    return await _send(client, sending, progress)
                except ClientError as error:
                    broken += sending.is_heard_of and isinstance(error, Unreachable)
                    if broken >= MOST_BROKEN:
                        raise _too_often_broken(client.address, len(items)) from error
                    if sending.is_taken:
                        give_up += time.monotonic() - began
                    asked = error.retry_after if isinstance(error, Refused) else None
                    pause = backoff.next(at_least=asked or 0.0)
                    if not error.is_transient or time.monotonic() + pause > give_up:
                        raise
                await asyncio.sleep(pause)
    except TimeoutError:
        raise Unreachable(client.address, f"no answer to a bundle in {timeout:.0f} s") from None


class _Sending:
    """One try to send a bundle.

    Attributes:
        is_taken: some of it is on its way to a server.
        is_heard_of: a server has it, and says how far it is.
    """

    def __init__(self, items: Sequence[BundleItem], header: BundleHeader) -> None:
        self._items = items
        self._header = header
        self.is_taken = self.is_heard_of = False

    async def requests(self) -> AsyncIterator[ApplyRequest]:
        yield ApplyRequest(header=self._header)
        self.is_taken = True  # gRPC asks for more only once it has a connection
        for chunk in chunks(self._items):
            yield ApplyRequest(items=chunk)
        yield ApplyRequest(end=True)


async def _send(client: Client, sending: _Sending, progress: Progress) -> Outcome:
    def hear(told: ApplyProgress) -> None:
        sending.is_heard_of = True
        progress(told)

    responses = client.bundles.Apply(sending.requests(), timeout=PATIENCE_S)
    return await outcome_of(client, responses, progress=hear)


def _too_often_broken(address: str, items: int) -> Unreachable:
    return Unreachable(
        address,
        f"servers ended {MOST_BROKEN} times while they were at work on a bundle of {items:,} "
        "resources, which may be too much for their memory: send it in parts",
    )


async def outcome_of(
    client: Client,
    responses: AsyncIterable[Any],
    *,
    progress: Progress,
    results_of: Callable[[Any], Iterable[ItemResult]] = attrgetter("results"),
) -> Outcome:
    """What a server says to a change of many resources, once it has said all.

    Args:
        responses: each with `problems`, and `progress` or the `summary`.
        results_of: what one of them says of resources.

    Raises:
        Unreachable: it ended without the summary.
    """
    results: list[ItemResult] = []
    problems: list[Problem] = []
    async for response in responses:
        results.extend(results_of(response))
        problems.extend(response.problems)
        if response.HasField("progress"):
            progress(response.progress)
        elif response.HasField("summary"):
            return Outcome(response.summary, results, problems)
    raise Unreachable(client.address, "it ended the call without saying how it went")


def chunks(items: Sequence[BundleItem]) -> Iterator[list[BundleItem]]:
    """Items in messages that are as large as they may be."""
    chunk: list[BundleItem] = []
    size = 0
    for item in items:
        # Tag and length before each item take at most 8 bytes.
        weight = item.ByteSize() + 8
        if chunk and size + weight > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += weight
    if chunk:
        yield chunk
