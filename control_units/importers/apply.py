"""A bundle on its way to a server."""

import asyncio
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from mds.v1.bundle_pb2 import (
    ApplyProgress,
    ApplyRequest,
    ApplySummary,
    BundleHeader,
    BundleItem,
    ItemResult,
    Problem,
)

from control_units.client import Backoff, Client, ClientError, Unreachable
from control_units.importers.findings import Findings

CHUNK_BYTES = 1_000_000
"""Size up to which items travel together; a larger item travels alone."""

LARGEST_ITEM_BYTES = 4_000_000
"""What a server takes in one message, with something left for the message itself."""

PATIENCE_S = 120.0
TRIES = 4

Progress = Callable[[ApplyProgress], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a server said to a bundle."""

    summary: ApplySummary
    results: list[ItemResult]
    problems: list[Problem]


async def apply_bundle(
    client: Client, items: Sequence[BundleItem], header: BundleHeader, *, progress: Progress
) -> Outcome:
    """Sends a bundle, all of it or nothing; a broken connection is tried again, which is safe
    because the request id stays the same.

    Args:
        header: how to apply it; gets a request id, if it has none, and the number of items.

    Raises:
        ClientError: it was refused as a whole, or no server took it.
    """
    header.request_id = header.request_id or uuid.uuid4().hex
    header.item_count = len(items)
    backoff = Backoff(first=0.2, longest=2.0)
    try:
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(TRIES - 1):
                try:
                    return await _send(client, items, header, progress)
                except ClientError as error:
                    if not error.is_transient:
                        raise
                await asyncio.sleep(backoff.next())
            return await _send(client, items, header, progress)
    except TimeoutError:
        raise Unreachable(client.address, f"no answer to a bundle in {PATIENCE_S:.0f} s") from None


async def _send(
    client: Client, items: Sequence[BundleItem], header: BundleHeader, progress: Progress
) -> Outcome:
    responses = client.bundles.Apply(_requests(items, header), timeout=PATIENCE_S)
    return await outcome_of(client, responses, progress=progress)


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


async def _requests(
    items: Sequence[BundleItem], header: BundleHeader
) -> AsyncIterator[ApplyRequest]:
    yield ApplyRequest(header=header)
    for chunk in chunks(items):
        yield ApplyRequest(items=chunk)
    yield ApplyRequest(end=True)


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


def without_oversized(items: Sequence[BundleItem], findings: Findings) -> list[BundleItem]:
    """Those that fit into a message; the others are problems."""
    fitting = []
    for item in items:
        size = item.ByteSize()
        if size <= LARGEST_ITEM_BYTES:
            fitting.append(item)
            continue
        kind = item.WhichOneof("resource") or ""
        findings.problem(
            item.source,
            f"at most {LARGEST_ITEM_BYTES} bytes in one resource",
            value=f"{size} bytes",
            reason="MESSAGE_TOO_LARGE",
            name=item.removed or getattr(item, kind).name,
        )
    return fitting
