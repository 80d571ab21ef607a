"""What the page of one agent says: itself, and the process of each unit server that is its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mds.v1 import agent_report_pb2
from mds.v1.agent_pb2 import Agent
from mds.v1.agent_report_pb2 import AgentStatus, UnitServerProcess
from mds.v1.unit_server_pb2 import LaunchOrder, UnitServer, UnitServerStatus

from webui import vocabulary
from webui.clock import Moment, moment
from webui.names import id_of, page_of
from webui.translation import _, gettext_noop
from webui.units.rows import ConditionRow, condition_row
from webui.vocabulary import Mark

MEBIBYTE = 2**20
_STATES = {
    agent_report_pb2.PROCESS_STATE_IDLE: Mark(gettext_noop("Idle"), "none"),
    agent_report_pb2.PROCESS_STATE_QUEUED: Mark(
        gettext_noop("Waits for its turn"), "changing", "changing"
    ),
    agent_report_pb2.PROCESS_STATE_WAITING: Mark(
        gettext_noop("Waits for another process to end"), "warning", "warning"
    ),
    agent_report_pb2.PROCESS_STATE_RUNNING: Mark(gettext_noop("Running"), "running"),
    agent_report_pb2.PROCESS_STATE_STOPPING: Mark(gettext_noop("Ending"), "changing", "changing"),
    agent_report_pb2.PROCESS_STATE_BACKING_OFF: Mark(
        gettext_noop("Ended, launched again soon"), "warning", "warning"
    ),
    agent_report_pb2.PROCESS_STATE_ENDED: Mark(gettext_noop("Ended"), "stopped"),
    agent_report_pb2.PROCESS_STATE_GAVE_UP: Mark(gettext_noop("Given up"), "bad", "bad"),
}
_SILENT = Mark(gettext_noop("Its agent says nothing of it"), "unknown", "unknown")
_ORDERS = {
    LaunchOrder.LAUNCH_ORDER_RUN: gettext_noop("to run"),
    LaunchOrder.LAUNCH_ORDER_STOP: gettext_noop("not to run"),
}


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A unit server of this agent.

    Attributes:
        contact: the server's own, with the unit server.
        wanted: what people have ordered, or declared.
        since: its process runs, or its state holds.
        ended: how its process ended last, in words.
        why: what the agent, and the process at last, said.
    """

    id: str
    name: str
    page: str
    mark: Mark
    was: bool
    contact: Mark
    wanted: str
    pid: int
    since: Moment | None
    next_try: Moment | None
    restarts: int
    ended: str
    load: str
    memory: str
    why: str
    last_line: str
    conditions: tuple[ConditionRow, ...]


@dataclass(frozen=True, slots=True)
class AgentPage:
    """All of it.

    Attributes:
        heard: whether what it said of its processes is of now.
    """

    name: str
    id: str
    page: str
    description: str
    declared_host: str
    contact: Mark
    heard: bool
    host: str
    pid: int
    version: str
    since: Moment | None
    last_word: Moment | None
    labels: tuple[tuple[str, str], ...]
    rows: tuple[ProcessRow, ...]


def agent_page(
    agent: Agent,
    status: AgentStatus,
    servers: Sequence[tuple[UnitServer, UnitServerStatus]],
    now: datetime,
) -> AgentPage:
    heard = vocabulary.contact(status.contact).tone == "quiet" and bool(status.pid)
    told = {each.unit_server: each for each in status.processes}
    # Of the past nobody is asked what it says.
    silent = _SILENT if status.contact else vocabulary.contact(status.contact)
    return AgentPage(
        name=agent.name,
        id=id_of(agent.name),
        page=page_of(agent.name),
        description=agent.description,
        declared_host=agent.host,
        contact=vocabulary.contact(status.contact),
        heard=heard,
        host=status.host,
        pid=status.pid,
        version=status.version,
        since=_moment(status, "start_time", now),
        last_word=_moment(status, "report_time", now),
        labels=tuple(sorted(agent.labels.items())),
        rows=tuple(
            _row(server, session, told.get(server.name), now, silent=silent, heard=heard)
            for server, session in servers
        ),
    )


def _row(
    server: UnitServer,
    session: UnitServerStatus,
    process: UnitServerProcess | None,
    now: datetime,
    *,
    silent: Mark,
    heard: bool,
) -> ProcessRow:
    process_or_none = process or UnitServerProcess()
    return ProcessRow(
        id=id_of(server.name),
        name=server.name,
        page=page_of(server.name),
        mark=_STATES.get(process_or_none.state, silent) if process else silent,
        was=bool(process) and not heard,
        contact=vocabulary.contact(session.contact),
        wanted=_wanted(server),
        pid=process_or_none.pid,
        since=_moment(process_or_none, "start_time" if process_or_none.pid else "state_time", now),
        next_try=_moment(process_or_none, "next_try_time", now),
        restarts=process_or_none.restarts,
        ended=_ended(process_or_none),
        load=f"{process_or_none.cpu_load:.0%}" if process_or_none.pid else "",
        memory=_mebibytes(process_or_none.memory_bytes) if process_or_none.pid else "",
        why=process_or_none.message,
        last_line=process_or_none.last_line if process_or_none.message else "",
        conditions=tuple(condition_row(each, now) for each in session.conditions),
    )


def _wanted(server: UnitServer) -> str:
    if server.launch.order in _ORDERS:
        return _(_ORDERS[server.launch.order])
    return _("to run") if server.launch.auto_start else _("nothing")


def _ended(process: UnitServerProcess) -> str:
    if not process.HasField("exit_status"):
        return ""
    if process.exit_status < 0:
        return _("signal %(number)s") % {"number": -process.exit_status}
    return _("status %(number)s") % {"number": process.exit_status}


def _mebibytes(count: int) -> str:
    return f"{count / MEBIBYTE:.0f} MiB"


def _moment(message: AgentStatus | UnitServerProcess, field: str, now: datetime) -> Moment | None:
    given = message.HasField(field)  # type: ignore[arg-type]
    return moment(getattr(message, field), today=now) if given else None
