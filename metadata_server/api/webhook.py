"""Webhooks on the wire, besides the standard methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mds.v1 import webhook_delivery_pb2, webhook_pb2

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages.asked_list import asked_page_of
from metadata_server.api.messages.position import position_message
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.webhook import delivery_message, status_message
from metadata_server.api.standard import hash_of
from metadata_server.api.watch import start_of
from metadata_server.domain.filter.vocabulary import WEBHOOK_DELIVERY, WEBHOOK_STATUS
from metadata_server.domain.names import Kind
from metadata_server.services.deliveries.webhooks import Webhooks


class WebhookMethods:
    """Handlers for what can be asked of webhooks besides the standard methods."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def handlers(self) -> dict[str, Callable[[Any, Context], Any]]:
        """Handlers by method name."""
        return {
            "ListWebhookStatuses": self.list_statuses,
            "ListWebhookDeliveries": self.list_deliveries,
            "SetWebhookSecret": self.set_secret,
            "TestWebhook": self.test,
            "RedeliverWebhook": self.redeliver,
            "RewindWebhook": self.rewind,
        }

    async def list_statuses(
        self, request: webhook_pb2.ListWebhookStatusesRequest, context: Context
    ) -> webhook_pb2.ListWebhookStatusesResponse:
        reading = Reading()
        ids = [
            reading.id(Kind.WEBHOOK, name, f"webhooks[{place}]")
            for place, name in enumerate(request.webhooks)
        ]
        reading.finish()
        answer = await self._webhooks.statuses(
            ids, asked_page_of(request, WEBHOOK_STATUS, of=" ".join(ids))
        )
        tell_position(context, answer.position)
        return webhook_pb2.ListWebhookStatusesResponse(
            webhook_statuses=map(status_message, answer.value.items),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.position),
        )

    async def list_deliveries(
        self, request: webhook_pb2.ListWebhookDeliveriesRequest, context: Context
    ) -> webhook_pb2.ListWebhookDeliveriesResponse:
        id = Kind.WEBHOOK.id_of(request.webhook, field="webhook")
        answer = await self._webhooks.deliveries(
            id, asked_page_of(request, WEBHOOK_DELIVERY, of=id)
        )
        tell_position(context, answer.position)
        return webhook_pb2.ListWebhookDeliveriesResponse(
            webhook_deliveries=(delivery_message(each, id) for each in answer.value.items),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.position),
        )

    async def set_secret(
        self, request: webhook_pb2.SetWebhookSecretRequest, context: Context
    ) -> webhook_pb2.SetWebhookSecretResponse:
        id = Kind.WEBHOOK.id_of(request.name)
        caller = caller_of(context, "Webhooks.SetWebhookSecret", request, hash_of(request))
        keep_old = request.keep_old.ToMicroseconds() if request.HasField("keep_old") else None
        answer = await self._webhooks.set_secret(
            caller,
            id,
            request.secret,
            keep_old_us=keep_old,
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return webhook_pb2.SetWebhookSecretResponse(position=position_message(answer.position))

    async def test(
        self, request: webhook_pb2.TestWebhookRequest, context: Context
    ) -> webhook_delivery_pb2.WebhookDelivery:
        id = Kind.WEBHOOK.id_of(request.name)
        answer = await self._webhooks.test(id)
        tell_position(context, answer.position)
        return delivery_message(answer.value, id)

    async def redeliver(
        self, request: webhook_pb2.RedeliverWebhookRequest, context: Context
    ) -> webhook_delivery_pb2.WebhookDelivery:
        id = Kind.WEBHOOK.id_of(request.name)
        answer = await self._webhooks.redeliver(id, request.delivery)
        tell_position(context, answer.position)
        return delivery_message(answer.value, id)

    async def rewind(
        self, request: webhook_pb2.RewindWebhookRequest, context: Context
    ) -> webhook_pb2.WebhookStatus:
        id = Kind.WEBHOOK.id_of(request.name)
        answer = await self._webhooks.rewind(id, start_of(request.position), request.after)
        tell_position(context, answer.position)
        return status_message(answer.value)
