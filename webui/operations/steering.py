"""Ways to steer an operation that is there: which there are, and which its phase allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mds.v1 import operation_pb2

from control_units.client import Client
from webui.access.person import Person
from webui.access.rights import role_too_small
from webui.translation import _, gettext_noop


@dataclass(frozen=True, slots=True)
class Steering:
    """One way.

    Attributes:
        call: of the protocol, that does it.
        request: the class of its requests.
        goes_on: more of its steps begin by that, which takes the role that giving it took.
    """

    word: str
    call: str
    request: Any
    goes_on: bool = False


STEERING: Mapping[str, Steering] = {
    "pause": Steering(
        gettext_noop("Pause"), "Operations.PauseOperation", operation_pb2.PauseOperationRequest
    ),
    "resume": Steering(
        gettext_noop("Resume"),
        "Operations.ResumeOperation",
        operation_pb2.ResumeOperationRequest,
        goes_on=True,
    ),
    "abort": Steering(
        gettext_noop("Abort"), "Operations.AbortOperation", operation_pb2.AbortOperationRequest
    ),
    "retry": Steering(
        gettext_noop("Retry what failed"),
        "Operations.RetryOperation",
        operation_pb2.RetryOperationRequest,
        goes_on=True,
    ),
}
"""By their names in addresses."""
_GOING = ("pause", "abort")
_ALLOWED = {
    operation_pb2.OPERATION_PHASE_PENDING: ("resume", "abort"),
    operation_pb2.OPERATION_PHASE_QUEUED: _GOING,
    operation_pb2.OPERATION_PHASE_EXECUTING: _GOING,
    operation_pb2.OPERATION_PHASE_HELD: _GOING,
    operation_pb2.OPERATION_PHASE_SUSPENDED: ("resume", "abort"),
    operation_pb2.OPERATION_PHASE_ERROR: ("retry",),
    operation_pb2.OPERATION_PHASE_ABORTED: ("retry",),
}


@dataclass(frozen=True, slots=True)
class Steer:
    """What may be asked of an operation, now or in another phase of it.

    Attributes:
        name: as addresses have it: `pause`.
        role_needed: why it is not allowed, where its phase allows it; empty: that is not why.
    """

    name: str
    word: str
    is_allowed: bool
    role_needed: str = ""


def steers(operation: operation_pb2.Operation, person: Person) -> tuple[Steer, ...]:
    """Every way, each in its place, whatever is allowed now: a button never becomes another one
    under a hand. Empty: none is allowed, and none will be."""
    if operation.phase not in _ALLOWED:
        return ()
    found = []
    for how, each in STEERING.items():
        needed = role_needed(how, operation, person) if is_allowed(how, operation.phase) else ""
        is_possible = is_allowed(how, operation.phase) and not needed
        found.append(Steer(how, _(each.word), is_possible, needed))
    return tuple(found)


def is_allowed(how: str, phase: operation_pb2.OperationPhase.ValueType) -> bool:
    return how in _ALLOWED.get(phase, ())


def role_needed(how: str, operation: operation_pb2.Operation, person: Person) -> str:
    """That somebody's role does not do for an operation like this one; empty: it does."""
    if not STEERING[how].goes_on or person.role >= operation.role:
        return ""
    return role_too_small(operation.role, person)


async def steer(client: Client, how: str, name: str, request_id: str, reason: str) -> None:
    """Raises: ClientError."""
    steering = STEERING[how]
    call = getattr(client.operations, steering.call.partition(".")[2])
    await call(steering.request(name=name, request_id=request_id, reason=reason))
