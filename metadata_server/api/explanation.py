"""Explanations of configurations on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from mds.v1 import control_unit_pb2, explanation_pb2

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages import from_message
from metadata_server.api.messages.enums import LAYERS
from metadata_server.api.messages.position import position_message, time_message
from metadata_server.domain.change import Position
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.explanation import ExplainedValue, Explanation, LayerValue
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.past.explanations import Asked, Explanations


class ExplanationMethods:
    """The handler that explains configurations."""

    def __init__(self, explanations: Explanations) -> None:
        self._explanations = explanations

    def handlers(self) -> dict[str, Callable[[Any, Context], Any]]:
        """Handlers by method name."""
        return {"ExplainConfiguration": self.explain_configuration}

    async def explain_configuration(self, request: Any, context: Context) -> Message:
        asked = Asked(
            Kind.CONTROL_UNIT.id_of(request.name),
            as_of=request.as_of,
            template_version=request.template_version,
            planned=planned_of(request),
        )
        answer = await self._explanations.explain(asked)
        tell_position(context, answer.position)
        return explanation_message(answer.value, answer.position)


def planned_of(request: control_unit_pb2.ExplainConfigurationRequest) -> ControlUnit | None:
    """The declaration that a request plans; None: none. It needs no name of its own."""
    if not request.HasField("planned"):
        return None
    message = control_unit_pb2.ControlUnit()
    message.CopyFrom(request.planned)
    message.name = message.name or request.name
    if message.name != request.name:
        expected = f"{request.name}, which is to be explained, or empty"
        raise Refused.wrong_fields([WrongField("planned.name", message.name, expected)])
    planned = from_message(Kind.CONTROL_UNIT, message)
    assert isinstance(planned, ControlUnit)
    return planned


def explanation_message(
    explanation: Explanation, position: Position
) -> explanation_pb2.Explanation:
    return explanation_pb2.Explanation(
        name=Kind.CONTROL_UNIT.name_of(explanation.id),
        template=Kind.TEMPLATE.name_of(explanation.template),
        template_version=explanation.template_version,
        fingerprint=explanation.fingerprint,
        planned_fingerprint=explanation.planned,
        reported_fingerprint=explanation.reported,
        values=map(value_message, explanation.values),
        position=position_message(position),
    )


def value_message(value: ExplainedValue) -> explanation_pb2.ExplainedValue:
    return explanation_pb2.ExplainedValue(
        path=value.path,
        value=value.value,
        unit=value.unit,
        layers=map(layer_message, value.layers),
        planned_value=value.planned,
        is_removed=value.is_removed,
    )


def layer_message(layer: LayerValue) -> explanation_pb2.LayerValue:
    message = explanation_pb2.LayerValue(layer=LAYERS.number[layer.layer], value=layer.value)
    origin = layer.origin
    if origin is not None:
        message.MergeFrom(
            explanation_pb2.LayerValue(
                source=origin.source,
                version=origin.version,
                revision=origin.revision,
                time=time_message(origin.time_us),
                author=origin.author,
                reason=origin.reason,
            )
        )
    return message
