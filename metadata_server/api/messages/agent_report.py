"""What agents say, on the wire."""

from __future__ import annotations

from mds.v1 import agent_report_pb2

from metadata_server.api.messages.enums import CONTACTS, PROCESS_STATES
from metadata_server.api.messages.position import position_message, time_message
from metadata_server.api.messages.registration import age_us_of, duration_message
from metadata_server.domain.change import Position
from metadata_server.domain.life.agent_report import (
    AgentReport,
    AgentStatus,
    Holder,
    LogRequest,
    ProcessReport,
    UnitServerProcess,
)
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.names import Kind
from metadata_server.services.agents.agent_reports import Told


def report_of(message: agent_report_pb2.ReportAgentRequest) -> AgentReport:
    """What an agent says of itself.

    Raises:
        Refused: INVALID_ID, INVALID_FIELD.
    """
    return AgentReport(
        agent=Kind.AGENT.id_of(message.agent, field="agent"),
        incarnation=message.incarnation,
        host=message.host,
        pid=message.pid,
        version=message.version,
        processes=tuple(
            process_report_of(each, f"processes[{position}]")
            for position, each in enumerate(message.processes)
        ),
        ends=message.ends,
    )


def process_report_of(message: agent_report_pb2.ProcessReport, path: str) -> ProcessReport:
    return ProcessReport(
        unit_server=Kind.UNIT_SERVER.id_of(message.unit_server, field=f"{path}.unit_server"),
        state=PROCESS_STATES.member(message.state, field=f"{path}.state"),
        message=message.message,
        pid=message.pid,
        age_us=age_us_of(message.age) if message.HasField("age") else None,
        next_try_in_us=(
            age_us_of(message.next_try_in) if message.HasField("next_try_in") else None
        ),
        restarts=message.restarts,
        exit_status=message.exit_status if message.HasField("exit_status") else None,
        cpu_time_us=age_us_of(message.cpu_time),
        cpu_load=message.cpu_load,
        memory_bytes=message.memory_bytes,
        last_line=message.last_line,
        reached_restart_count=message.reached_restart_count,
    )


def told_message(
    told: Told, timing: Timing, position: Position
) -> agent_report_pb2.ReportAgentResponse:
    return agent_report_pb2.ReportAgentResponse(
        period=duration_message(timing.heartbeat_us),
        held=map(holder_message, told.held),
        log_requests=map(log_request_message, told.log_requests),
        position=position_message(position),
    )


def holder_message(holder: Holder) -> agent_report_pb2.HeldUnitServer:
    return agent_report_pb2.HeldUnitServer(
        unit_server=Kind.UNIT_SERVER.name_of(holder.unit_server),
        host=holder.host,
        pid=holder.pid,
        agent=Kind.AGENT.name_of(holder.agent) if holder.agent else "",
    )


def log_request_message(request: LogRequest) -> agent_report_pb2.LogRequest:
    return agent_report_pb2.LogRequest(
        log_request=request.id,
        unit_server=Kind.UNIT_SERVER.name_of(request.unit_server),
        lines=request.line_count,
    )


def agent_status_message(status: AgentStatus) -> agent_report_pb2.AgentStatus:
    return agent_report_pb2.AgentStatus(
        agent=Kind.AGENT.name_of(status.agent),
        contact=CONTACTS.number[status.contact],
        host=status.host,
        pid=status.pid,
        version=status.version,
        start_time=time_message(status.start_time_us),
        report_time=time_message(status.report_time_us),
        processes=map(process_message, status.processes),
    )


def process_message(process: UnitServerProcess) -> agent_report_pb2.UnitServerProcess:
    return agent_report_pb2.UnitServerProcess(
        unit_server=Kind.UNIT_SERVER.name_of(process.unit_server),
        state=PROCESS_STATES.number[process.state],
        state_time=time_message(process.state_time_us),
        message=process.message,
        pid=process.pid,
        start_time=time_message(process.start_time_us),
        next_try_time=time_message(process.next_try_time_us),
        restarts=process.restarts,
        exit_status=process.exit_status,
        cpu_time=duration_message(process.cpu_time_us),
        cpu_load=process.cpu_load,
        memory_bytes=process.memory_bytes,
        last_line=process.last_line,
        reached_restart_count=process.reached_restart_count,
    )
