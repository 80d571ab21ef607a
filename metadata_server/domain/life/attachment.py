"""Why a stream of a unit server ends, or what it says is not taken."""

from __future__ import annotations

from metadata_server.domain.life.session import Session
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import RefusalKind, Refused


def session_ended(session: str) -> Refused:
    return Refused.precondition(
        "SESSION_ENDED",
        f"Session {session[:64]!r} has ended, or never was. Register again.",
        session=session[:64],
    )


def not_hosted(control_unit: str, session: Session) -> Refused:
    return Refused.precondition(
        "NOT_HOSTED_HERE",
        f"Control unit {control_unit[:255]!r} is not one of unit server "
        f"{session.unit_server!r} in this session.",
        control_unit=Kind.CONTROL_UNIT.name_of(control_unit[:255]),
        unit_server=session.unit_server,
    )


def attached_elsewhere(session: str) -> Refused:
    return Refused(
        RefusalKind.REPLACED,
        "ATTACHED_ELSEWHERE",
        "A newer stream of this session has taken this one's place.",
        metadata={"session": session},
    )


def too_old() -> Refused:
    return Refused.busy(
        "DRAINING",
        "This stream has grown old; attach again, at any replica, so that load spreads.",
        retry_after_ms=0,
        stream="old",
    )


def draining() -> Refused:
    return Refused.busy(
        "DRAINING", "This replica is stopping. Attach at another one.", retry_after_ms=100
    )
