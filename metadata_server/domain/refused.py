"""The one tree of errors that domain and services raise on purpose.

Refused
  kind      what the caller can do about it, and with it the status on each wire
  reason    which refusal: a name of `mds.v1.ErrorReason`; public and frozen
  metadata  whatever varies, as text
  fields    the fields that are wrong, where the refusal is about fields
  conflicts what others have changed since it was read, where the refusal is about that
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from metadata_server.domain.conflict import Conflict


class RefusalKind(StrEnum):
    """What a refusal means for its caller."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    EXISTS = "EXISTS"
    PRECONDITION = "PRECONDITION"
    ETAG_REQUIRED = "ETAG_REQUIRED"
    ETAG_MISMATCH = "ETAG_MISMATCH"
    MOVED = "MOVED"
    TRIMMED = "TRIMMED"
    BUSY = "BUSY"
    PRESSURE = "PRESSURE"
    REPLACED = "REPLACED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    DENIED = "DENIED"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class WrongField:
    """One field that cannot be as it is.

    Attributes:
        field: path within the resource (`overrides[0].minimum`).
        value: what was read.
        expected: what would be right.
        subject: name of the item that the field is in, where its path only counts.
    """

    field: str
    value: str
    expected: str
    reason: str = "INVALID_FIELD"
    subject: str = ""

    @property
    def message(self) -> str:
        about = f" (of {shown(self.subject)})" if self.subject else ""
        return f"{self.field}{about} is {shown(self.value)}; right would be {self.expected}."


def shown(value: str, *, limit: int = 80) -> str:
    """A value as it may stand in a message: quoted, and cut when it is long."""
    cut = value if len(value) <= limit else f"{value[:limit]}… ({len(value)} characters)"
    return repr(cut)


AHEAD = frozenset({"STILL_A_DRAFT", "UNIT_IN_MAINTENANCE", "FORBIDDEN_BY_GUARD"})
"""Of fields that are right; something else has to change first."""


class Refused(Exception):
    """A call that cannot be done, with the reason in data."""

    def __init__(
        self,
        kind: RefusalKind,
        reason: str,
        message: str,
        *,
        fields: Iterable[WrongField] = (),
        conflicts: Iterable[Conflict] = (),
        metadata: dict[str, str] | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = reason
        self.message = message
        self.fields = tuple(fields)
        self.conflicts = tuple(conflicts)
        self.metadata = metadata or {}
        self.retry_after_ms = retry_after_ms

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    @classmethod
    def invalid(cls, reason: str, message: str, **metadata: object) -> Refused:
        return cls(RefusalKind.INVALID, reason, message, metadata=texts(metadata))

    @classmethod
    def wrong_fields(cls, fields: Iterable[WrongField]) -> Refused:
        """All wrong fields at once; the reason, and with it the kind, is that of the first."""
        found = tuple(fields)
        message = " ".join(field.message for field in found)
        reason = found[0].reason
        missing = reason.endswith("_NOT_FOUND")
        kind = RefusalKind.NOT_FOUND if missing else RefusalKind.INVALID
        if reason in AHEAD:
            kind = RefusalKind.PRECONDITION
        return cls(kind, reason, message, fields=found)

    @classmethod
    def not_found(cls, reason: str, message: str, **metadata: object) -> Refused:
        return cls(RefusalKind.NOT_FOUND, reason, message, metadata=texts(metadata))

    @classmethod
    def exists(cls, message: str, **metadata: object) -> Refused:
        return cls(RefusalKind.EXISTS, "ALREADY_EXISTS", message, metadata=texts(metadata))

    @classmethod
    def precondition(cls, reason: str, message: str, **metadata: object) -> Refused:
        return cls(RefusalKind.PRECONDITION, reason, message, metadata=texts(metadata))

    @classmethod
    def etag_required(cls, message: str, **metadata: object) -> Refused:
        return cls(RefusalKind.ETAG_REQUIRED, "ETAG_REQUIRED", message, metadata=texts(metadata))

    @classmethod
    def etag_mismatch(
        cls, message: str, conflicts: Iterable[Conflict] = (), **metadata: object
    ) -> Refused:
        return cls(
            RefusalKind.ETAG_MISMATCH,
            "ETAG_MISMATCH",
            message,
            conflicts=conflicts,
            metadata=texts(metadata),
        )

    @classmethod
    def moved(
        cls, reason: str, message: str, conflicts: Iterable[Conflict], **metadata: object
    ) -> Refused:
        """What was seen is no longer what is there (CHANGED_SINCE, PLAN_MOVED)."""
        return cls(
            RefusalKind.MOVED, reason, message, conflicts=conflicts, metadata=texts(metadata)
        )

    @classmethod
    def trimmed(cls, reason: str, message: str, **metadata: object) -> Refused:
        return cls(RefusalKind.TRIMMED, reason, message, metadata=texts(metadata))

    @classmethod
    def busy(
        cls, reason: str, message: str, *, retry_after_ms: int = 500, **metadata: object
    ) -> Refused:
        return cls(
            RefusalKind.BUSY,
            reason,
            message,
            retry_after_ms=retry_after_ms,
            metadata=texts(metadata),
        )

    @classmethod
    def pressure(cls, reason: str, message: str, *, retry_after_ms: int = 1000) -> Refused:
        return cls(RefusalKind.PRESSURE, reason, message, retry_after_ms=retry_after_ms)

    @classmethod
    def unauthenticated(cls, message: str) -> Refused:
        return cls(RefusalKind.UNAUTHENTICATED, "UNAUTHENTICATED", message)

    @classmethod
    def denied(cls, reason: str, message: str, **metadata: object) -> Refused:
        return cls(RefusalKind.DENIED, reason, message, metadata=texts(metadata))

    @classmethod
    def fault(cls, reason: str, message: str) -> Refused:
        """A fault of the server's own: what nobody raises on purpose is told as this."""
        return cls(RefusalKind.FAULT, reason, message)


def texts(metadata: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in metadata.items()}
