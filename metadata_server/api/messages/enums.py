"""Enums of the domain and their numbers on the wire, by name, in tables built once."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Generic, TypeVar

from mds.v1 import (
    access_pb2,
    agent_report_pb2,
    audit_pb2,
    condition_pb2,
    dataset_pb2,
    explanation_pb2,
    filter_pb2,
    guard_pb2,
    history_pb2,
    kind_pb2,
    operation_pb2,
    operation_step_pb2,
    state_pb2,
    template_pb2,
    token_pb2,
    unit_server_pb2,
    view_pb2,
    webhook_delivery_pb2,
    webhook_pb2,
)

from metadata_server.domain.access.role import Role
from metadata_server.domain.access.token import TokenState
from metadata_server.domain.audit import Severity
from metadata_server.domain.change import Action
from metadata_server.domain.deliveries.delivery import DeliveryState, DeliveryType, WebhookState
from metadata_server.domain.filter.key import ValueKind
from metadata_server.domain.intent.attribute import Direction, ValueType
from metadata_server.domain.intent.explanation import Layer
from metadata_server.domain.intent.template import Relation, VersionState
from metadata_server.domain.intent.unit_server import LaunchOrder
from metadata_server.domain.life.agent_report import ProcessState
from metadata_server.domain.life.condition import ConditionStatus
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.advance import OnFailure, StepState
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.orchestration.operation import Phase
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.watch import View

E = TypeVar("E", bound=StrEnum)


class Words(Generic[E]):
    """One enum in both worlds.

    A member that the domain has no word for on the wire, or the wire none in the domain, is
    found when the table is built, save the wire's *not set*, which is `unset`.
    """

    def __init__(self, enum: type[E], wire: Any, prefix: str, unset: E | None = None) -> None:
        self.number: dict[E, Any] = {each: wire.Value(f"{prefix}_{each.name}") for each in enum}
        """Number on the wire, by member."""
        self._member = {number: each for each, number in self.number.items()}
        self._unset = unset
        extra = set(wire.values()) - set(self._member) - {0}
        assert not extra, f"{enum.__name__} has no word for {sorted(extra)}"

    def find(self, number: int) -> E | None:
        """The member of a number; None: there is none."""
        return self._member.get(number) or (self._unset if number == 0 else None)

    def member(self, number: int, *, field: str) -> E:
        """The member of a number.

        Raises:
            Refused: INVALID_FIELD, for a number that the protocol has no word for.
        """
        found = self.find(number)
        if found is None:
            raise Refused.wrong_fields([self.fault(number, field=field)])
        return found

    def fault(self, number: int, *, field: str) -> WrongField:
        return WrongField(field, str(number), f"one of {', '.join(self.number)}")


STATES = Words(State, state_pb2.State, "STATE")
CONTACTS = Words(Contact, state_pb2.Contact, "CONTACT")
HEALTHS = Words(Health, state_pb2.Health, "HEALTH")
CONDITION_STATUSES = Words(ConditionStatus, condition_pb2.ConditionStatus, "CONDITION_STATUS")
DIRECTIONS = Words(Direction, dataset_pb2.Direction, "DIRECTION")
VALUE_TYPES = Words(ValueType, dataset_pb2.ValueType, "VALUE_TYPE")
VERSION_STATES = Words(
    VersionState, template_pb2.VersionState, "VERSION_STATE", VersionState.PUBLISHED
)
RELATIONS = Words(Relation, template_pb2.Relation, "RELATION")
END_REASONS = Words(EndReason, unit_server_pb2.EndReason, "END_REASON")
LAUNCH_ORDERS = Words(
    LaunchOrder, unit_server_pb2.LaunchOrder, "LAUNCH_ORDER", LaunchOrder.UNSPECIFIED
)
PROCESS_STATES = Words(ProcessState, agent_report_pb2.ProcessState, "PROCESS_STATE")
CHANGE_ACTIONS = Words(Action, history_pb2.ChangeAction, "CHANGE_ACTION")
FILTER_VALUE_KINDS = Words(ValueKind, filter_pb2.FilterValueKind, "FILTER_VALUE_KIND")
LAYERS = Words(Layer, explanation_pb2.Layer, "LAYER")
SEVERITIES = Words(Severity, audit_pb2.Severity, "SEVERITY")
GUARDED_CHANGES = Words(GuardedChange, guard_pb2.GuardedChange, "GUARDED_CHANGE")
KINDS = Words(Kind, kind_pb2.Kind, "KIND")
VERBS = Words(Verb, operation_pb2.OrderVerb, "ORDER_VERB")
PHASES = Words(Phase, operation_pb2.OperationPhase, "OPERATION_PHASE")
STEP_STATES = Words(StepState, operation_step_pb2.StepState, "STEP_STATE")
VIEWS = Words(View, view_pb2.View, "VIEW", View.FULL)
WEBHOOK_STATES = Words(WebhookState, webhook_pb2.WebhookState, "WEBHOOK_STATE")
DELIVERY_TYPES = Words(
    DeliveryType, webhook_delivery_pb2.WebhookDeliveryType, "WEBHOOK_DELIVERY_TYPE"
)
DELIVERY_STATES = Words(
    DeliveryState, webhook_delivery_pb2.WebhookDeliveryState, "WEBHOOK_DELIVERY_STATE"
)
ROLES = Words(Role, access_pb2.Role, "ROLE")
TOKEN_STATES = Words(TokenState, token_pb2.TokenState, "TOKEN_STATE")
ON_FAILURES = Words(OnFailure, operation_pb2.OnFailure, "ON_FAILURE", OnFailure.STOP)


def state_of(number: int, *, field: str) -> State:
    """A state; not set is UNSPECIFIED.

    Raises:
        Refused: INVALID_FIELD, for a number that the protocol has no word for.
    """
    return STATES.member(number, field=field)
