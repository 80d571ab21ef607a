"""Bundles on the wire: items in, progress and results out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from mds.v1 import bundle_pb2, bundle_pb2_grpc, kind_pb2

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages import from_message, to_message
from metadata_server.api.messages.position import position_message
from metadata_server.domain.bundle import Decision, Item, ItemAction, OnConflict
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.bundles import Bundles
from metadata_server.services.plans import Applied, Applying
from metadata_server.services.progress import ApplyProgress

LARGEST_BUNDLE_BYTES = 256 * 1024 * 1024
RESULTS_A_MESSAGE = 1000
EXPORT_CHUNK_BYTES = 512 * 1024
PROGRESS_PERIOD_S = 0.2

KINDS = {getattr(kind_pb2, f"KIND_{kind.name}"): kind for kind in DECLARED}
POLICIES = {
    bundle_pb2.ON_CONFLICT_UNSPECIFIED: OnConflict.FAIL,
    bundle_pb2.ON_CONFLICT_FAIL: OnConflict.FAIL,
    bundle_pb2.ON_CONFLICT_SKIP: OnConflict.SKIP,
    bundle_pb2.ON_CONFLICT_REPLACE: OnConflict.REPLACE,
}
ACTIONS = {action: getattr(bundle_pb2, f"ITEM_ACTION_{action.name}") for action in ItemAction}


class BundlesServicer(bundle_pb2_grpc.BundlesServicer):
    """Applies and exports bundles."""

    def __init__(self, bundles: Bundles) -> None:
        self._bundles = bundles

    async def Apply(
        self, request_iterator: AsyncIterator[bundle_pb2.ApplyRequest], context: Context
    ) -> AsyncIterator[bundle_pb2.ApplyResponse]:
        incoming = IncomingBundle()
        async for request in request_iterator:
            await asyncio.to_thread(incoming.take, request)
            yield progress_message(received=len(incoming.items))
        incoming.check_end()
        header = incoming.header
        how = Applying(
            on_conflict=POLICIES.get(header.on_conflict, OnConflict.FAIL),
            validate_only=header.validate_only,
            skip_invalid=header.skip_invalid,
        )
        caller = caller_of(context, "Bundles.Apply", header, incoming.payload.hexdigest())
        progress = ApplyProgress()
        work = asyncio.create_task(self._bundles.apply(caller, incoming.items, how, progress))
        try:
            while not (await asyncio.wait([work], timeout=PROGRESS_PERIOD_S))[0]:
                yield progress_message(len(incoming.items), progress.checked, progress.written)
        finally:
            work.cancel()  # no effect on a transaction under way: its caller has a request id
        answer = work.result()
        for response in result_messages(answer.value.decisions):
            yield response
        tell_position(context, answer.position)
        yield summary_message(answer.value, position_message(answer.position))

    async def Export(
        self, request: bundle_pb2.ExportRequest, context: Context
    ) -> AsyncIterator[bundle_pb2.ExportResponse]:
        answer = await self._bundles.export(kinds_of(request.kinds), request.id_prefix)
        tell_position(context, answer.position)
        position = position_message(answer.position)
        response = bundle_pb2.ExportResponse(position=position)
        size = 0
        for resource in answer.value:
            item = bundle_pb2.BundleItem()
            getattr(item, resource.kind.value).CopyFrom(to_message(resource))
            response.items.append(item)
            size += item.ByteSize()
            if size > EXPORT_CHUNK_BYTES:
                yield response
                response, size = bundle_pb2.ExportResponse(position=position), 0
        yield response


class IncomingBundle:
    """What has been received of a bundle: its header, its items, and a hash of all."""

    def __init__(self) -> None:
        self.header = bundle_pb2.BundleHeader()
        self.items: list[Item] = []
        self.payload = hashlib.sha256()
        self._bytes = 0
        self._has_ended = False

    def take(self, request: bundle_pb2.ApplyRequest) -> None:
        """Takes one message.

        Raises:
            Refused: MESSAGE_TOO_LARGE.
        """
        if request.HasField("header"):
            self.header = request.header
        self._bytes += request.ByteSize()
        if self._bytes > LARGEST_BUNDLE_BYTES:
            raise Refused.pressure(
                "MESSAGE_TOO_LARGE",
                f"A bundle has at most {LARGEST_BUNDLE_BYTES // 2**20} MB; send it in parts.",
            )
        self._has_ended = request.end
        self.payload.update(request.SerializeToString(deterministic=True))
        self.items.extend(item_of(message) for message in request.items)

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


def item_of(message: bundle_pb2.BundleItem) -> Item:
    """An item; what cannot be read of it stands in its faults."""
    field = message.WhichOneof("resource")
    if field is None:
        expected = "one of " + ", ".join(kind.value for kind in DECLARED)
        return Item(message.source, "", None, (WrongField("resource", "", expected),))
    resource = getattr(message, field)
    try:
        return Item(message.source, resource.name, from_message(Kind(field), resource))
    except Refused as refused:
        faults = refused.fields or (
            WrongField("name", resource.name, expected_of(refused), refused.reason),
        )
        return Item(message.source, resource.name[:300], None, faults)


def expected_of(refused: Refused) -> str:
    """What would be right, out of a refusal's sentence."""
    return refused.message.partition("right would be ")[2].rstrip(".") or refused.message


def kinds_of(numbers: Sequence[Any]) -> list[Kind]:
    unknown = [number for number in numbers if number not in KINDS]
    if unknown:
        raise Refused.wrong_fields(
            [WrongField("kinds", str(unknown[0]), "a kind that people declare")]
        )
    return [KINDS[number] for number in numbers]


def progress_message(received: int, checked: int = 0, written: int = 0) -> bundle_pb2.ApplyResponse:
    progress = bundle_pb2.ApplyProgress(received=received, checked=checked, written=written)
    return bundle_pb2.ApplyResponse(progress=progress)


def result_messages(decisions: Sequence[Decision]) -> Iterator[bundle_pb2.ApplyResponse]:
    for start in range(0, len(decisions), RESULTS_A_MESSAGE):
        response = bundle_pb2.ApplyResponse()
        for decision in decisions[start : start + RESULTS_A_MESSAGE]:
            response.results.add(
                source=decision.item.source,
                name=decision.item.name,
                action=ACTIONS[decision.action],
                changed_fields=decision.changed_fields,
            )
            for problem in decision.problems:
                response.problems.append(problem_message(decision.item, problem))
        yield response


def problem_message(item: Item, problem: WrongField) -> bundle_pb2.Problem:
    return bundle_pb2.Problem(
        source=item.source,
        name=item.name,
        reason=problem.reason,
        field=problem.field,
        value=problem.value,
        expected=problem.expected,
        message=problem.message,
    )


def summary_message(applied: Applied, position: Any) -> bundle_pb2.ApplyResponse:
    summary = bundle_pb2.ApplySummary(applied=applied.summary.applied, position=position)
    for action, count in applied.summary.counts.items():
        setattr(summary, action.value.lower(), count)
    return bundle_pb2.ApplyResponse(summary=summary)
