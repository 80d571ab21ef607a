"""Lives of control units on the wire."""

from __future__ import annotations

from mds.v1 import instantiation_pb2

from metadata_server.api.messages.enums import STATES
from metadata_server.api.messages.position import time_message
from metadata_server.api.messages.unit_server import end_reason_number
from metadata_server.domain.intent.control_unit import PassedState
from metadata_server.domain.life.instantiation import Instantiation
from metadata_server.domain.names import Kind


def instantiation_message(life: Instantiation) -> instantiation_pb2.Instantiation:
    session = life.session
    return instantiation_pb2.Instantiation(
        name=life.name,
        control_unit=Kind.CONTROL_UNIT.name_of(life.control_unit),
        unit_server=Kind.UNIT_SERVER.name_of(session.unit_server),
        session=session.id,
        incarnation=session.incarnation,
        host=session.host,
        address=session.address,
        pid=session.pid,
        version=session.version,
        begin_time=time_message(life.begin_time_us),
        end_time=time_message(life.end_time_us),
        end_reason=end_reason_number(life.end_reason),
        template=Kind.TEMPLATE.name_of(life.template),
        template_version=life.template_version,
        fingerprint=life.fingerprint,
        states=map(state_change_message, life.states),
    )


def state_change_message(passed: PassedState) -> instantiation_pb2.StateChange:
    return instantiation_pb2.StateChange(
        state=STATES.number[passed.state],
        time=time_message(passed.time_us),
        message=passed.message,
    )
