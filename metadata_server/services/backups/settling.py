"""What becomes of those who were alive when a backup was made, before anybody is served.

Nobody knows what has happened since. So whoever held something holds it no more, and comes again
by itself; what had begun to act on units waits for people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from metadata_server.domain.backup import Header
from metadata_server.domain.change import Position
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.admission import clock
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import State
from metadata_server.services.orchestration.steering import paused
from metadata_server.services.orchestration.supersession import rewrite
from metadata_server.store.backups.settling import free_held, open_operations, open_sessions
from metadata_server.store.life.endings import end_sessions, tell_endings
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Settled:
    """What was settled.

    Attributes:
        position: where the store goes on.
        sessions: that were open, and are ended as lost.
        operations: that were under way, and are paused.
        stilled: units that were wanted in a state, and are wanted in none now.
    """

    position: Position
    sessions: int
    operations: tuple[str, ...]
    stilled: int


def settle(unit: UnitOfWork, header: Header, *, keep_still: bool) -> Settled:
    """Ends sessions, pauses operations, and frees what somebody held.

    Args:
        keep_still: no unit shall move for what people wanted of it then.
    """
    endings = open_sessions(unit)
    end_sessions(unit, endings, EndReason.LEASE_ENDED)
    tell_endings(unit, endings, EndReason.LEASE_ENDED)
    held = []
    for operation in open_operations(unit):
        waiting = paused(unit, operation)
        if waiting is not operation:
            rewrite(unit, replace(waiting, message=why_paused(header)))
            held.append(operation.name)
    stilled = still_units(unit) if keep_still else 0
    free_held(unit)
    unit.claim()
    return Settled(unit.position, len(endings), tuple(held), stilled)


def still_units(unit: UnitOfWork) -> int:
    """Has people want no state of any unit; an undo of this revision brings back what they
    wanted. How many there were."""
    wanted = [
        each
        for each in unit.resources.where(ControlUnit)
        if each.desired_state is not State.UNSPECIFIED
    ]
    for each in wanted:
        unit.save(replace(each, desired_state=State.UNSPECIFIED))
    return len(wanted)


def why_paused(header: Header) -> str:
    return (
        f"The store was restored from a backup of {clock(header.time_us)}. What this was about to "
        "do may have been done since: look at its units, then resume or abort it."
    )
