"""How a unit server stands, for its agent."""

from dataclasses import dataclass
from enum import StrEnum


class ProcessState(StrEnum):
    """Where a unit server's process is; the words of the protocol."""

    IDLE = "IDLE"
    """There is none, and none is to run."""
    QUEUED = "QUEUED"
    """It waits for its turn."""
    WAITING = "WAITING"
    """Another process is this unit server."""
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    BACKING_OFF = "BACKING_OFF"
    """It ended, and is launched again when its pause is over."""
    ENDED = "ENDED"
    """It ended, and is not declared to be kept alive."""
    GAVE_UP = "GAVE_UP"
    """It ended too often, or cannot be launched."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an agent knows of one unit server.

    Attributes:
        pid: of its process; 0: there is none.
        restarts: how often this agent launched it again by itself.
        fault: why it does not run, in words; empty where it runs or never did.
        started: when its process was launched, in s of the clock that never goes back; None:
            there is none.
        next_try: when it is launched again, by that clock; None: nobody waits for that.
        exit_status: how a process of it ended last, negative for a signal; None: not known.
        last_line: what that one wrote last.
        reached_restart_count: the last order to restart that was carried out.
    """

    state: ProcessState = ProcessState.IDLE
    pid: int = 0
    restarts: int = 0
    fault: str = ""
    started: float | None = None
    next_try: float | None = None
    exit_status: int | None = None
    last_line: str = ""
    reached_restart_count: int = 0
