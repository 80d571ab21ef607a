"""Whether a process may become the one run of its unit server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from metadata_server.domain.life.session import EndReason, Lease, Session
from metadata_server.domain.refused import RefusalKind, Refused


@dataclass(frozen=True, slots=True)
class Admission:
    """How a process is admitted.

    Attributes:
        resumes: the session that its incarnation has already; None: a new one begins.
        ends: why the session before ends with that; None: there is none, or it has ended.
    """

    resumes: Session | None = None
    ends: EndReason | None = None


def admit(
    last: Session | None,
    lease: Lease | None,
    *,
    incarnation: str,
    take_over: bool,
    runs_until_us: int,
    now_us: int,
) -> Admission:
    """The rule of one live copy.

    Args:
        last: session of the unit server.
        runs_until_us: until when its lease counts, with the grace of a blind observer.

    Raises:
        Refused: ALREADY_RUNNING, naming who holds it.
    """
    if last is None or lease is None or lease.ended or last.end_time_us is not None:
        return Admission()
    if runs_until_us <= now_us:
        return Admission(ends=EndReason.SUPERSEDED)
    if last.incarnation == incarnation:
        return Admission(resumes=last)
    if take_over:
        return Admission(ends=EndReason.TAKEN_OVER)
    raise already_running(last, runs_until_us, now_us)


def already_running(holder: Session, runs_until_us: int, now_us: int) -> Refused:
    since, until = clock(holder.start_time_us), clock(runs_until_us)
    return Refused(
        RefusalKind.PRECONDITION,
        "ALREADY_RUNNING",
        f"Unit server {holder.unit_server!r} is running already, on {holder.host or 'an unnamed host'}"
        f" ({holder.address or 'no address'}, pid {holder.pid}) since {since}; its lease runs "
        f"until {until}. Stop that process, wait until then, or take over on purpose.",
        metadata={
            "unit_server": holder.unit_server,
            "host": holder.host,
            "address": holder.address,
            "pid": str(holder.pid),
            "since": since,
            "lease_end": until,
        },
        retry_after_ms=max(0, runs_until_us - now_us) // 1000 + 1,
    )


def clock(time_us: int) -> str:
    """A time of the database as people and programs read it: ISO 8601, UTC."""
    text = datetime.fromtimestamp(time_us / 1_000_000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
