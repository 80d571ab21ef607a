"""What agents say and are asked, on the wire; and the orders to them, which are methods of
UnitServers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from mds.v1 import agent_report_pb2, agent_report_pb2_grpc

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages import to_message
from metadata_server.api.messages.agent_report import (
    agent_status_message,
    report_of,
    told_message,
)
from metadata_server.api.messages.asked_list import asked_page_of
from metadata_server.api.messages.named import ids_of
from metadata_server.api.messages.position import position_message
from metadata_server.api.standard import hash_of
from metadata_server.domain.filter.vocabulary import AGENT_STATUS
from metadata_server.domain.intent.unit_server import Launch
from metadata_server.domain.names import Kind
from metadata_server.services.agents.agent_reports import AgentReports
from metadata_server.services.agents.launch_orders import LaunchOrders, restarted, started, stopped
from metadata_server.services.agents.logs import Logs


@dataclass(frozen=True, slots=True)
class AgentParts:
    """The use cases around agents."""

    reports: AgentReports
    logs: Logs
    orders: LaunchOrders


class AgentReportsServicer(agent_report_pb2_grpc.AgentReportsServicer):
    """Converts; never decides."""

    def __init__(self, parts: AgentParts) -> None:
        self._reports = parts.reports
        self._logs = parts.logs

    async def ReportAgent(
        self, request: agent_report_pb2.ReportAgentRequest, context: Context
    ) -> agent_report_pb2.ReportAgentResponse:
        answer = await self._reports.report(report_of(request))
        return told_message(answer.value, self._reports.timing, answer.position)

    async def GetAgentStatus(
        self, request: agent_report_pb2.GetAgentStatusRequest, context: Context
    ) -> agent_report_pb2.AgentStatus:
        answer = await self._reports.get(Kind.AGENT.id_of(request.agent, field="agent"))
        tell_position(context, answer.position)
        return agent_status_message(answer.value)

    async def ListAgentStatuses(
        self, request: agent_report_pb2.ListAgentStatusesRequest, context: Context
    ) -> agent_report_pb2.ListAgentStatusesResponse:
        ids = ids_of(request.agents, Kind.AGENT, field="agents")
        of = " ".join((request.id_prefix, *ids))
        answer = await self._reports.list(
            request.id_prefix, asked_page_of(request, AGENT_STATUS, of=of), ids=ids
        )
        tell_position(context, answer.position)
        return agent_report_pb2.ListAgentStatusesResponse(
            agent_statuses=map(agent_status_message, answer.value.items),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.position),
        )

    async def ReadUnitServerLog(
        self, request: agent_report_pb2.ReadUnitServerLogRequest, context: Context
    ) -> agent_report_pb2.ReadUnitServerLogResponse:
        unit_server = Kind.UNIT_SERVER.id_of(request.unit_server, field="unit_server")
        found = await self._logs.read(unit_server, lines=request.lines)
        return agent_report_pb2.ReadUnitServerLogResponse(
            agent=Kind.AGENT.name_of(found.agent), lines=found.lines
        )

    async def AnswerLogRequest(
        self, request: agent_report_pb2.AnswerLogRequestRequest, context: Context
    ) -> agent_report_pb2.AnswerLogRequestResponse:
        await self._logs.answer(request.log_request, list(request.lines))
        return agent_report_pb2.AnswerLogRequestResponse()


class LaunchOrderMethods:
    """Handlers for the orders to agents."""

    def __init__(self, orders: LaunchOrders) -> None:
        self._orders = orders

    def handlers(self) -> dict[str, Callable[[Any, Context], Any]]:
        """Handlers by method name."""
        return {
            "StartUnitServer": self.start,
            "StopUnitServer": self.stop,
            "RestartUnitServer": self.restart,
        }

    async def start(self, request: Any, context: Context) -> Message:
        return await self._give("StartUnitServer", request, context, started)

    async def stop(self, request: Any, context: Context) -> Message:
        return await self._give("StopUnitServer", request, context, stopped)

    async def restart(self, request: Any, context: Context) -> Message:
        return await self._give("RestartUnitServer", request, context, restarted)

    async def _give(
        self, method: str, request: Any, context: Context, order: Callable[[Launch], Launch]
    ) -> Message:
        answer = await self._orders.give(
            caller_of(context, f"UnitServers.{method}", request, hash_of(request)),
            Kind.UNIT_SERVER.id_of(request.name),
            order,
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return to_message(answer.value)
