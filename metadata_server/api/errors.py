"""How refusals travel: the only place where one becomes a status.

A status has one `google.rpc.ErrorInfo` with the reason, a `BadRequest` where fields are wrong,
a `mds.v1.Conflict` for each resource that others have changed since it was read, a `RetryInfo`
where the same call may be sent again, and a `RequestInfo` with the id of the call. It goes in the trailers of a call, so it
is kept small: what does not fit is counted.
"""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from mds.v1 import difference_pb2, error_reason_pb2

from metadata_server.api.request_ids import present_request_id
from metadata_server.domain.conflict import Conflict, FieldConflict
from metadata_server.domain.refused import RefusalKind, Refused, WrongField

DOMAIN = "mds"
DETAILS_KEY = "grpc-status-details-bin"
MESSAGE_BYTES = 600
FIELDS_BYTES = 2000
METADATA_BYTES = 1000
TEXT_BYTES = 400
VALUE_BYTES = 240
AUTHOR_BYTES = 120
ETAG_BYTES = 40
"""Trailers travel in base64, the message also percent-encoded; a client may refuse 8 KB."""

CODES = {
    RefusalKind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    RefusalKind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    RefusalKind.EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    RefusalKind.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    RefusalKind.ETAG_REQUIRED: grpc.StatusCode.FAILED_PRECONDITION,
    RefusalKind.ETAG_MISMATCH: grpc.StatusCode.ABORTED,
    RefusalKind.MOVED: grpc.StatusCode.ABORTED,
    RefusalKind.TRIMMED: grpc.StatusCode.OUT_OF_RANGE,
    RefusalKind.BUSY: grpc.StatusCode.UNAVAILABLE,
    RefusalKind.PRESSURE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    RefusalKind.REPLACED: grpc.StatusCode.ABORTED,
    RefusalKind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    RefusalKind.DENIED: grpc.StatusCode.PERMISSION_DENIED,
    RefusalKind.FAULT: grpc.StatusCode.INTERNAL,
}

HTTP_OF_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 410,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.INTERNAL: 500,
}
HTTP_OF_REASONS = {
    "ETAG_MISMATCH": 412,
    "ETAG_REQUIRED": 428,
    "MESSAGE_TOO_LARGE": 413,
    "CHANGE_TOO_LARGE": 413,
    "ORIGIN_NOT_ALLOWED": 403,
    "HOST_NOT_ALLOWED": 421,
    "VERB_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "FACADE_READ_ONLY": 403,
    "NO_COUNTERPART": 501,
}
"""Reasons whose HTTP status is not that of their code."""

REASONS = frozenset(error_reason_pb2.ErrorReason.keys())


def code_of(refused: Refused) -> grpc.StatusCode:
    return CODES[refused.kind]


def http_status_of(refused: Refused) -> int:
    """The HTTP status of a refusal: it belongs to the reason."""
    return HTTP_OF_REASONS.get(refused.reason) or HTTP_OF_CODES[code_of(refused)]


def status_of(refused: Refused, *, request_id: str = "") -> status_pb2.Status:
    """A refusal as data, small enough for the trailers of a call.

    Args:
        request_id: of the call that is refused; empty: what is refused is a part of one.
    """
    number, _ = code_of(refused).value
    info = error_details_pb2.ErrorInfo(
        reason=refused.reason, domain=DOMAIN, metadata=small_metadata(refused)
    )
    details: list[Any] = [info]
    if refused.fields:
        details.append(bad_request(refused.fields))
    details += conflict_messages(refused.conflicts, FIELDS_BYTES - sum(map(size_of, details[1:])))
    if refused.retry_after_ms is not None:
        delay = Duration()
        delay.FromMilliseconds(refused.retry_after_ms)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if request_id:
        details.append(error_details_pb2.RequestInfo(request_id=request_id))
    return status_pb2.Status(
        code=number, message=cut(refused.message, MESSAGE_BYTES), details=map(packed, details)
    )


def error_tree(refused: Refused) -> dict[str, Any]:
    """A refusal as the body of an HTTP answer: what the status has, with the status of HTTP."""
    error = json_format.MessageToDict(status_of(refused, request_id=present_request_id()))
    return {
        "error": {
            "code": http_status_of(refused),
            "status": code_of(refused).name,
            "message": error.get("message", ""),
            "details": error["details"],
        }
    }


def small_metadata(refused: Refused) -> dict[str, str]:
    """Metadata as far as it fits, with the numbers of wrong fields and of conflicts where there
    are any."""
    counts = {"wrong_fields": len(refused.fields), "conflicts": len(refused.conflicts)}
    found = {name: str(count) for name, count in counts.items() if count}
    left = METADATA_BYTES
    for name, value in refused.metadata.items():
        text = cut(value, TEXT_BYTES)
        left -= len(name.encode()) + len(text.encode())
        if left < 0:
            break
        found[name] = text
    return found


def bad_request(fields: tuple[WrongField, ...]) -> error_details_pb2.BadRequest:
    """The wrong fields, as many as fit; the last one says how many more there are."""
    told = error_details_pb2.BadRequest()
    for position, field in enumerate(fields):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=cut(field.field, TEXT_BYTES),
            description=cut(field.message, TEXT_BYTES),
            reason=field.reason,
        )
        if position and told.ByteSize() + violation.ByteSize() > FIELDS_BYTES:
            rest = len(fields) - position
            told.field_violations.add(
                field="…", description=f"{rest} more; mend these first.", reason=field.reason
            )
            break
        told.field_violations.append(violation)
    return told


def conflict_messages(conflicts: tuple[Conflict, ...], room: int) -> list[difference_pb2.Conflict]:
    """The conflicts, as many as fit, each with as many of its fields as fit.

    Args:
        room: bytes.
    """
    told = []
    for conflict in conflicts:
        message = difference_pb2.Conflict(
            name=conflict.name,
            read_etag=cut(conflict.read_etag, ETAG_BYTES),
            etag=conflict.etag,
            author=cut(conflict.author, AUTHOR_BYTES),
            reason=cut(conflict.reason, VALUE_BYTES),
        )
        room -= size_of(message)
        if room < 0:
            break
        for field in map(field_conflict_message, conflict.fields):
            room -= size_of(field)
            if room < 0:
                break
            message.fields.append(field)
        told.append(message)
    return told


def field_conflict_message(field: FieldConflict) -> difference_pb2.FieldConflict:
    sides = {"read": field.read, "sent": field.sent, "now": field.now}
    return difference_pb2.FieldConflict(
        path=cut(field.path, TEXT_BYTES),
        **{name: cut(text, VALUE_BYTES) for name, text in sides.items() if text is not None},
    )


def size_of(message: Any) -> int:
    """Bytes of a message within another one: its own, its tag and its length."""
    return int(message.ByteSize()) + 4


def packed(detail: Any) -> AnyMessage:
    found = AnyMessage()
    found.Pack(detail)
    return found


def cut(text: str, limit: int) -> str:
    """A text of at most `limit` bytes."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


def unexpected(error: BaseException) -> Refused:
    """What the caller is told of an error that nobody raised on purpose: nothing of it. The
    log has the rest, under the request id of the call."""
    if isinstance(error, Refused):
        return error
    return Refused.fault(
        "INTERNAL_FAULT",
        "The server has met a fault of its own. The log line with the request id of this call "
        "tells more.",
    )


async def abort_with(context: grpc.aio.ServicerContext[Any, Any], refused: Refused) -> str:
    """Ends a call with a refusal, keeping the trailers that were set; the name of its code.

    The call has to return after it, without a further message.
    """
    status = status_of(refused, request_id=present_request_id())
    trailers = [
        (key, value) for key, value in (context.trailing_metadata() or ()) if key != DETAILS_KEY
    ]
    context.set_trailing_metadata((*trailers, (DETAILS_KEY, status.SerializeToString())))
    context.set_details(status.message)
    context.set_code(code_of(refused))
    return code_of(refused).name
