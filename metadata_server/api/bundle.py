"""Bundles on the wire: items in, progress and results out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from typing import Any

from mds.v1 import bundle_pb2, bundle_pb2_grpc, kind_pb2

from metadata_server.api.calls import Context, caller_of, calling, tell_position
from metadata_server.api.messages import from_message, to_message
from metadata_server.api.messages.position import position_message
from metadata_server.api.plans import carried_out, progress_message, seen_plan_of
from metadata_server.api.unknown_fields import check_fields
from metadata_server.domain.intent.bundle import Item, OnConflict, PruneScope
from metadata_server.domain.names import BEGINS_AN_ID, DECLARED, Kind, named
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress

LARGEST_BUNDLE_BYTES = 256 * 1024 * 1024
EXPORT_CHUNK_BYTES = 512 * 1024
REST_S = 5.0
"""So long a client that is refused may go on sending."""

KINDS = {getattr(kind_pb2, f"KIND_{kind.name}"): kind for kind in DECLARED}
POLICIES = {
    bundle_pb2.ON_CONFLICT_UNSPECIFIED: OnConflict.FAIL,
    bundle_pb2.ON_CONFLICT_FAIL: OnConflict.FAIL,
    bundle_pb2.ON_CONFLICT_SKIP: OnConflict.SKIP,
    bundle_pb2.ON_CONFLICT_REPLACE: OnConflict.REPLACE,
}


class BundlesServicer(bundle_pb2_grpc.BundlesServicer):
    """Applies and exports bundles."""

    def __init__(self, bundles: Bundles) -> None:
        self._bundles = bundles

    async def Apply(
        self, request_iterator: AsyncIterator[bundle_pb2.ApplyRequest], context: Context
    ) -> AsyncIterator[bundle_pb2.ApplyResponse]:
        incoming = IncomingBundle()
        progress = ApplyProgress()
        try:
            async for request in request_iterator:
                calling.get().passage.keep(await asyncio.to_thread(incoming.take, request))
                told = progress_message(len(incoming.items), progress)
                yield bundle_pb2.ApplyResponse(progress=told)
        except Refused:
            incoming.items.clear()
            await let_end(request_iterator)
            raise
        incoming.check_end()
        header, items = incoming.header, incoming.items
        how = applying_of(header)
        caller = caller_of(context, "Bundles.Apply", header, incoming.payload.hexdigest())
        work = self._bundles.apply(caller, items, how, progress)
        async for response in carried_out(
            bundle_pb2.ApplyResponse, work, progress, context, received=len(items)
        ):
            yield response

    async def Export(
        self, request: bundle_pb2.ExportRequest, context: Context
    ) -> AsyncIterator[bundle_pb2.ExportResponse]:
        pieces = self._bundles.export(
            kinds_of(request.kinds), request.id_prefix, as_of=request.as_of
        )
        response, size = bundle_pb2.ExportResponse(), 0
        async with aclosing(pieces):
            async for piece in pieces:
                if not response.HasField("position"):
                    tell_position(context, piece.position)
                    response.position.CopyFrom(position_message(piece.position))
                for resource in piece.value:
                    item = response.items.add()
                    getattr(item, resource.kind.value).CopyFrom(to_message(resource))
                    size += item.ByteSize()
                    if size > EXPORT_CHUNK_BYTES:
                        yield response
                        response, size = bundle_pb2.ExportResponse(position=response.position), 0
        yield response


async def let_end(requests: AsyncIterator[bundle_pb2.ApplyRequest]) -> None:
    """Lets a client that is refused send the rest, which nobody keeps: one that is cut off while it
    sends hears no answer."""
    with suppress(TimeoutError, Refused):
        async with asyncio.timeout(REST_S):
            async for _ in requests:
                pass


class IncomingBundle:
    """What has been received of a bundle: its header, its items, and a hash of all."""

    def __init__(self) -> None:
        self.header = bundle_pb2.BundleHeader()
        self.items: list[Item] = []
        self.payload = hashlib.sha256()
        self._bytes = 0
        self._has_ended = False

    def take(self, request: bundle_pb2.ApplyRequest) -> int:
        """Takes one message; how many bytes it had.

        Raises:
            Refused: MESSAGE_TOO_LARGE, UNKNOWN_FIELD.
        """
        check_fields(request)
        if request.HasField("header"):
            self.header = request.header
        size = request.ByteSize()
        self._bytes += size
        if self._bytes > LARGEST_BUNDLE_BYTES:
            raise Refused.pressure(
                "MESSAGE_TOO_LARGE",
                f"A bundle has at most {LARGEST_BUNDLE_BYTES // 2**20} MB; send it in parts.",
            )
        self._has_ended = request.end
        self.payload.update(request.SerializeToString(deterministic=True))
        self.items.extend(item_of(message) for message in request.items)
        return size

    def check_end(self) -> None:
        """Passes when everything has come.

        Raises:
            Refused: INVALID_BUNDLE.
        """
        if not self._has_ended:
            raise Refused.invalid(
                "INVALID_BUNDLE",
                f"The bundle broke off after {len(self.items)} items; right would be a last "
                "message with `end`. Nothing was applied.",
                items=len(self.items),
            )


def applying_of(header: bundle_pb2.BundleHeader) -> Applying:
    """How a bundle is to be applied.

    Raises:
        Refused: INVALID_FIELD, for a scope that cannot be one.
    """
    return Applying(
        on_conflict=POLICIES.get(header.on_conflict, OnConflict.FAIL),
        validate_only=header.validate_only,
        skip_invalid=header.skip_invalid,
        prune=tuple(scope_of(scope, f"prune[{n}]") for n, scope in enumerate(header.prune)),
        seen=seen_plan_of(header),
    )


def scope_of(message: bundle_pb2.PruneScope, field: str) -> PruneScope:
    if not BEGINS_AN_ID.match(message.id_prefix):
        expected = "the beginning of an id: letters, digits and _ . : + - /"
        raise Refused.wrong_fields([WrongField(f"{field}.id_prefix", message.id_prefix, expected)])
    return PruneScope(tuple(kinds_of(message.kinds, field=f"{field}.kinds")), message.id_prefix)


def item_of(message: bundle_pb2.BundleItem) -> Item:
    """An item; what cannot be read of it stands in its faults."""
    field = message.WhichOneof("resource")
    if field is None:
        expected = f"one of {', '.join(kind.value for kind in DECLARED)}, or removed"
        return Item(message.source, "", None, (WrongField("resource", "", expected),))
    if field == "removed":
        return removal_of(message)
    resource = getattr(message, field)
    try:
        return Item(message.source, resource.name, from_message(Kind(field), resource))
    except Refused as refused:
        faults = refused.fields or (
            WrongField("name", resource.name, expected_of(refused), refused.reason),
        )
        return Item(message.source, resource.name[:300], None, faults)


def removal_of(message: bundle_pb2.BundleItem) -> Item:
    name = message.removed
    try:
        kind, id = named(name, field="removed")
    except Refused as refused:
        fault = WrongField("removed", name[:300], expected_of(refused), refused.reason)
        return Item(message.source, name[:300], None, (fault,))
    return Item.removal(kind, id, source=message.source)


def expected_of(refused: Refused) -> str:
    """What would be right, out of a refusal's sentence."""
    return refused.message.partition("right would be ")[2].rstrip(".") or refused.message


def kinds_of(numbers: Sequence[Any], *, field: str = "kinds") -> list[Kind]:
    unknown = [number for number in numbers if number not in KINDS]
    if unknown:
        raise Refused.wrong_fields(
            [WrongField(field, str(unknown[0]), "a kind that people declare")]
        )
    return [KINDS[number] for number in numbers]
