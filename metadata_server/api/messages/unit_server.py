"""Unit servers on the wire, and their sessions."""

from __future__ import annotations

from typing import Any

from mds.v1 import unit_server_pb2

from metadata_server.api.messages.control_unit import condition_message, name_or_nothing
from metadata_server.api.messages.enums import CONTACTS, END_REASONS, LAUNCH_ORDERS
from metadata_server.api.messages.position import time_message
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.resource import shared_content, shared_fields
from metadata_server.domain.intent.unit_server import Launch, LaunchOrder, UnitServer
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.names import Kind


def unit_server_message(server: UnitServer) -> unit_server_pb2.UnitServer:
    return unit_server_pb2.UnitServer(
        **shared_fields(server), launch=launch_message(server.launch) if server.launch else None
    )


def unit_server_of(message: unit_server_pb2.UnitServer, id: str, reading: Reading) -> UnitServer:
    launch = launch_of(message.launch, reading) if message.HasField("launch") else None
    return UnitServer(**shared_content(message, id), launch=launch)


def launch_message(launch: Launch) -> unit_server_pb2.Launch:
    return unit_server_pb2.Launch(
        agent=name_or_nothing(Kind.AGENT, launch.agent),
        command=launch.command,
        configuration=launch.configuration,
        working_directory=launch.working_directory,
        environment=launch.environment,
        auto_start=launch.auto_start,
        keep_alive=launch.keep_alive,
        log_on_console=launch.log_on_console,
        order=LAUNCH_ORDERS.number[launch.order],
        restart_count=launch.restart_count,
        level=launch.level,
    )


def launch_of(message: unit_server_pb2.Launch, reading: Reading) -> Launch:
    return Launch(
        agent=reading.reference(Kind.AGENT, message.agent, "launch.agent"),
        command=message.command,
        configuration=message.configuration,
        working_directory=message.working_directory,
        environment=dict(message.environment),
        auto_start=message.auto_start,
        keep_alive=message.keep_alive,
        log_on_console=message.log_on_console,
        order=reading.member(LAUNCH_ORDERS, message.order, "launch.order", LaunchOrder.UNSPECIFIED),
        restart_count=message.restart_count,
        level=message.level,
    )


def unit_server_status_message(session: Session) -> unit_server_pb2.UnitServerStatus:
    return unit_server_pb2.UnitServerStatus(
        name=Kind.UNIT_SERVER_STATUS.name_of(session.unit_server),
        unit_server=Kind.UNIT_SERVER.name_of(session.unit_server),
        revision=session.revision,
        contact=CONTACTS.number[session.contact],
        session=session.id,
        incarnation=session.incarnation,
        host=session.host,
        address=session.address,
        pid=session.pid,
        version=session.version,
        classes=session.classes,
        start_time=time_message(session.start_time_us),
        end_time=time_message(session.end_time_us),
        end_reason=end_reason_number(session.end_reason),
        conditions=map(condition_message, session.conditions),
    )


def end_reason_number(reason: EndReason | None) -> Any:
    """The number of a reason; None: it has not ended."""
    return END_REASONS.number[reason] if reason else unit_server_pb2.END_REASON_UNSPECIFIED
