"""What stands against a change of a resource that somebody else has changed since it was read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field, three times; None: it is not set, or not known.

    Attributes:
        path: `overrides[current].maximum`.
        read: what it was at the etag that was sent.
        sent: what it should become.
        now: what it is.
    """

    path: str
    read: str | None
    sent: str | None
    now: str | None

    @property
    def is_contested(self) -> bool:
        """Whether both sides have changed it, to different values."""
        return self.sent != self.read and self.now not in (self.read, self.sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One resource.

    Attributes:
        name: with its collection.
        read_etag: that was sent.
        etag: of what is there now; empty: it is gone.
        author: who changed it last.
        reason: why, in the author's words.
        fields: that were sent, or have changed since they were read; contested ones first.
    """

    name: str
    read_etag: str = ""
    etag: str = ""
    author: str = ""
    reason: str = ""
    fields: tuple[FieldConflict, ...] = ()
