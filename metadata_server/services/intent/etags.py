"""Compare-and-set: who writes over what somebody else has changed since is told what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from metadata_server.domain.conflict import Conflict
from metadata_server.domain.difference import field_conflicts
from metadata_server.domain.refused import RefusalKind, Refused
from metadata_server.domain.resource import Resource
from metadata_server.store.intent.authorship import UNKNOWN, authorships
from metadata_server.store.past.history import image_at
from metadata_server.store.unit_of_work import UnitOfWork

LONGEST_ETAG = 19
"""Digits of the largest revision."""
R = TypeVar("R", bound=Resource)


def check_etag(
    unit: UnitOfWork, now: R, etag: str, *, change: Callable[[R], R] | None = None
) -> None:
    """Passes when `etag` is that of what is there, or `*`.

    Args:
        change: gives the resource as it shall be, from what was read; None: no field of it is
            to be changed (it is to be deleted, renamed).

    Raises:
        Refused: ETAG_REQUIRED; ETAG_MISMATCH with what was read, what was sent and what is
            there now.
    """
    try:
        now.check_etag(etag)
    except Refused as refused:
        if refused.kind is RefusalKind.ETAG_MISMATCH:
            refused.conflicts = (conflict_with(unit, now, etag, change),)
        raise


def conflict_with(unit: UnitOfWork, now: R, etag: str, change: Callable[[R], R] | None) -> Conflict:
    """What stands against a write that was made up with another etag in mind."""
    read = image_of_etag(unit, now, etag)
    sent = sent_from(read or now, change) if change else None
    last = authorships(unit, [now.meta.revision]).get(now.meta.revision, UNKNOWN)
    return Conflict(
        name=now.name,
        read_etag=etag,
        etag=now.etag,
        author=last.author,
        reason=last.reason,
        fields=field_conflicts(read, sent, now),
    )


def image_of_etag(unit: UnitOfWork, now: R, etag: str) -> R | None:
    """What was read when the etag was; None: it is not kept, or was never this resource's."""
    is_number = etag.isascii() and etag.isdigit() and len(etag) <= LONGEST_ETAG
    if not is_number or int(etag) >= now.meta.revision:
        return None
    found = image_at(unit, now.kind, now.meta.key, int(etag))
    return cast("R", found) if found is not None and found.etag == etag else None


def sent_from(base: R, change: Callable[[R], R]) -> R | None:
    """What was sent; None: it cannot be read, which is told when the etag is right."""
    try:
        return change(base)
    except Refused:
        return None
