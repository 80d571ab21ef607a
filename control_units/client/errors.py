"""What can go wrong with a call.

ClientError
├── Refused             a server answered, and said no: `reason` says why
│   ├── Invalid         the request is wrong: `violations` names its fields
│   ├── NotFound        what it is about is not there
│   ├── AlreadyExists   what it would create is there
│   ├── Precondition    something else has to change first
│   ├── Stale           others were faster: `conflicts` says with what; read again, then write
│   ├── HistoryGone     the past that it asks for is no longer kept: list again
│   ├── Busy            the same call may be sent again, after `retry_after`
│   ├── Denied          not this caller
│   └── Fault           a fault of the server's own
└── Unreachable         no server answered in time
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2, status_pb2
from mds.v1.difference_pb2 import Conflict
from mds.v1.error_reason_pb2 import ErrorReason

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "mds"

# What may succeed when the same call is sent again, by the contract's table of errors.
_TRANSIENT_CODES = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
# What the transport says where no server has answered. One that ends while a call comes in, or is
# under way, says CANCELLED; who cancels a call of their own hears of it otherwise.
_SILENT_CODES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        # The end of a stream without a word: a load balancer whose server is down by its checks.
        grpc.StatusCode.UNKNOWN,
    }
)
# The same code, but sending it again changes nothing.
_FINAL_REASONS = frozenset({"MESSAGE_TOO_LARGE", "SCHEMA_UNKNOWN"})


class ClientError(Exception):
    """Root of everything that this library raises about a call."""

    #: Whether the same call may succeed when it is sent again.
    is_transient: bool = False
    #: By which the server's log tells more of the call; empty: there was none.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of the request that is wrong."""

    field: str
    description: str


class Refused(ClientError):
    """A server answered, and said no. What is caught is mostly one of its kinds.

    Attributes:
        reason: a name of `mds.v1.ErrorReason`; the name of the status code where the answer
            came from something else than a metadata server (a proxy, an older server).
        message: what is wrong and what would be right, for people.
        metadata: what varies in the message, by name.
        violations: the fields that are wrong, if it is about fields.
        conflicts: what others have changed since it was read, if it is about that: of each
            resource the fields as they were read, as they were sent, and as they are now.
        code: the status of the call.
        retry_after: seconds that the server asks to wait before the same call is sent again.
        request_id: by which the server's log tells more of the call.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        code: grpc.StatusCode,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        conflicts: Sequence[Conflict] = (),
        retry_after: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.code = code
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.conflicts = tuple(conflicts)
        self.retry_after = retry_after
        self.request_id = request_id
        self.is_transient = code in _TRANSIENT_CODES and reason not in _FINAL_REASONS

    @property
    def error_reason(self) -> ErrorReason.ValueType:
        """`reason` as the contract numbers it; ERROR_REASON_UNSPECIFIED: not in this release."""
        known = self.reason in ErrorReason.keys()  # noqa: SIM118 - it is no mapping
        return ErrorReason.Value(self.reason) if known else ErrorReason.ERROR_REASON_UNSPECIFIED


class Invalid(Refused):
    """The request is wrong: it can be mended by `violations`, and by the message."""


class NotFound(Refused):
    """What it is about is not there."""


class AlreadyExists(Refused):
    """What it would create is there."""


class Precondition(Refused):
    """Something else has to change first: a state, a maintenance, a guard, what depends on it."""


class Stale(Refused):
    """Others were faster: `conflicts` tells what they did. Read again, then write."""


class HistoryGone(Refused):
    """The past that it asks for is no longer kept, or was of another store: list again."""


class Busy(Refused):
    """The same call may be sent again, after `retry_after`; the client has done so already."""


class Denied(Refused):
    """Not this caller."""


class Fault(Refused):
    """A fault of the server's own, or of what stands before it."""


class Unreachable(ClientError):
    """No server answered in time.

    Attributes:
        address: the server that was tried last.
        message: what happened there.
        request_id: that was sent with the call.
    """

    is_transient = True

    def __init__(self, address: str, message: str, request_id: str = "") -> None:
        super().__init__(f"No metadata server answers at {address}: {message}")
        self.address = address
        self.message = message
        self.request_id = request_id


def from_rpc_error(error: grpc.aio.AioRpcError, address: str, request_id: str = "") -> ClientError:
    """What a failed call means; `request_id` was sent with it."""
    code, details = error.code(), error.details() or ""
    status = _status(error)
    if status is not None:
        return from_status(status, code, request_id)
    if code in _SILENT_CODES:
        return Unreachable(address, details or code.name, request_id)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        # The transport says so itself, of a message beyond its limit; a server gives details.
        return Invalid("MESSAGE_TOO_LARGE", details, code=code, request_id=request_id)
    message = details or "The server gave no message."
    return _kind(code, code.name)(code.name, message, code=code, request_id=request_id)


def from_status(
    status: status_pb2.Status, code: grpc.StatusCode | None = None, request_id: str = ""
) -> Refused:
    """A refusal that came inside a message or with a call."""
    info, request, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    call = error_details_pb2.RequestInfo(request_id=request_id)
    has_retry = False
    conflicts = []
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(request.DESCRIPTOR):
            detail.Unpack(request)
        elif detail.Is(retry.DESCRIPTOR):
            has_retry = detail.Unpack(retry)
        elif detail.Is(call.DESCRIPTOR):
            detail.Unpack(call)
        elif detail.Is(Conflict.DESCRIPTOR):
            conflicts.append(Conflict())
            detail.Unpack(conflicts[-1])
    code = code or _code(status.code)
    reason = info.reason or code.name
    return _kind(code, reason)(
        reason,
        status.message,
        code=code,
        metadata=info.metadata,
        violations=[Violation(v.field, v.description) for v in request.field_violations],
        conflicts=conflicts,
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if has_retry else None,
        request_id=call.request_id,
    )


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            return status_pb2.Status.FromString(value)
    return None


def _code(number: int) -> grpc.StatusCode:
    return next((c for c in grpc.StatusCode if c.value[0] == number), grpc.StatusCode.UNKNOWN)


_KINDS: dict[grpc.StatusCode, type[Refused]] = {
    grpc.StatusCode.INVALID_ARGUMENT: Invalid,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: Precondition,
    grpc.StatusCode.ABORTED: Stale,
    grpc.StatusCode.OUT_OF_RANGE: HistoryGone,
    grpc.StatusCode.UNAVAILABLE: Busy,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Busy,
    grpc.StatusCode.UNAUTHENTICATED: Denied,
    grpc.StatusCode.PERMISSION_DENIED: Denied,
}
_KINDS_OF_REASONS: dict[str, type[Refused]] = {
    "MESSAGE_TOO_LARGE": Invalid,
    "SCHEMA_UNKNOWN": Fault,
}


def _kind(code: grpc.StatusCode, reason: str) -> type[Refused]:
    return _KINDS_OF_REASONS.get(reason) or _KINDS.get(code, Fault)
