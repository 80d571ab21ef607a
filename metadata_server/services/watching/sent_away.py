"""Why followers are to go on elsewhere, or to come again."""

from __future__ import annotations

from metadata_server.domain.refused import Refused


def sees_nothing() -> Refused:
    return Refused.busy(
        "DATABASE_UNAVAILABLE",
        "This replica cannot see what the database has. Send the same call again.",
        retry_after_ms=1000,
    )


def sent_elsewhere() -> Refused:
    return Refused.busy(
        "DRAINING", "This replica is stopping. Go on at another one.", retry_after_ms=100
    )


def grown_old() -> Refused:
    return Refused.busy(
        "DRAINING",
        "This stream has grown old; go on at any replica, so that load spreads.",
        retry_after_ms=100,
        stream="old",
    )
