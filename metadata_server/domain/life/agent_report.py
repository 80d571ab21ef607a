"""What agents say of the processes that they launch, and what the server makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from metadata_server.domain.life.condition import KEEPS_DYING, Condition, ConditionStatus
from metadata_server.domain.life.state import Contact

MAXIMUM_INCARNATION = 64
MOST_PROCESSES = 1000
"""That one agent reports."""
LONGEST_TEXT = 1000
"""Characters of a message or a last line that are kept."""
LONGEST_HOST = 255


class ProcessState(StrEnum):
    """Where the process of a unit server is, for its agent."""

    IDLE = "IDLE"
    QUEUED = "QUEUED"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    BACKING_OFF = "BACKING_OFF"
    ENDED = "ENDED"
    GAVE_UP = "GAVE_UP"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessReport:
    """What an agent says of one unit server, with times as distances from now.

    Attributes:
        unit_server: id.
        pid: 0: there is no process.
        age_us: since it was launched; None: there is none.
        next_try_in_us: until it is launched again; None: nobody waits for that.
        exit_status: how a process ended last, negative for a signal; None: not known.
        cpu_load: processors kept busy since the report before.
    """

    unit_server: str
    state: ProcessState
    message: str = ""
    pid: int = 0
    age_us: int | None = None
    next_try_in_us: int | None = None
    restarts: int = 0
    exit_status: int | None = None
    cpu_time_us: int = 0
    cpu_load: float = 0.0
    memory_bytes: int = 0
    last_line: str = ""
    reached_restart_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReport:
    """How an agent stands.

    Attributes:
        agent: id.
        incarnation: made by the agent when it starts.
        ends: it says good-bye.
    """

    agent: str
    incarnation: str
    host: str = ""
    pid: int = 0
    version: str = ""
    processes: tuple[ProcessReport, ...] = ()
    ends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitServerProcess:
    """The process of a unit server as its agent said last, with times by the database's clock.

    Attributes:
        state_time_us: since when it is there, as far as it was told.
        start_time_us: 0: there is no process.
        next_try_time_us: 0: nobody waits for that.
    """

    unit_server: str
    state: ProcessState
    state_time_us: int
    message: str = ""
    pid: int = 0
    start_time_us: int = 0
    next_try_time_us: int = 0
    restarts: int = 0
    exit_status: int | None = None
    cpu_time_us: int = 0
    cpu_load: float = 0.0
    memory_bytes: int = 0
    last_line: str = ""
    reached_restart_count: int = 0

    @property
    def complaint(self) -> str:
        """Why it was given up, for people, with what it wrote last."""
        wrote = f" It wrote last: {self.last_line}" if self.last_line else ""
        return f"Its process {self.message}{wrote}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStatus:
    """An agent, as it said last.

    Attributes:
        incarnation: empty: it never came.
        report_time_us: when it last gave word.
        processes: sorted by id of the unit server.
    """

    agent: str
    contact: Contact = Contact.NONE
    incarnation: str = ""
    host: str = ""
    pid: int = 0
    version: str = ""
    start_time_us: int = 0
    report_time_us: int = 0
    processes: tuple[UnitServerProcess, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that is a unit server, so that launching another would be refused.

    Attributes:
        pid: 0: not known.
        agent: id of the one that launched it; empty: not known.
    """

    unit_server: str
    host: str = ""
    pid: int = 0
    agent: str = ""


@dataclass(frozen=True, slots=True)
class LogRequest:
    """A question for the end of a log.

    Attributes:
        unit_server: id.
        line_count: at most so many lines.
    """

    id: str
    unit_server: str
    line_count: int


def process_after(
    said: ProcessReport, before: UnitServerProcess | None, now_us: int
) -> UnitServerProcess:
    """The process as it is told from now on. Times that were told before stay as they were: a
    distance is never told twice alike."""
    same_state = before is not None and before.state is said.state and before.pid == said.pid
    start_us = 0 if said.age_us is None else now_us - said.age_us
    if before is not None and start_us and before.start_time_us and before.pid == said.pid:
        start_us = before.start_time_us
    return UnitServerProcess(
        unit_server=said.unit_server,
        state=said.state,
        state_time_us=before.state_time_us if before is not None and same_state else now_us,
        message=said.message[:LONGEST_TEXT],
        pid=said.pid,
        start_time_us=start_us,
        next_try_time_us=0 if said.next_try_in_us is None else now_us + said.next_try_in_us,
        restarts=said.restarts,
        exit_status=said.exit_status,
        cpu_time_us=said.cpu_time_us,
        cpu_load=said.cpu_load,
        memory_bytes=said.memory_bytes,
        last_line=said.last_line[:LONGEST_TEXT],
        reached_restart_count=said.reached_restart_count,
    )


def keeps_dying(message: str, since_us: int, *, in_touch: bool) -> Condition:
    """What holds of a unit server that its agent has given up, and of its units.

    Args:
        in_touch: whether that agent can still be asked.
    """
    return Condition(
        type=KEEPS_DYING,
        reason="GaveUp",
        message=message,
        since_us=since_us,
        status=ConditionStatus.TRUE if in_touch else ConditionStatus.UNKNOWN,
    )
