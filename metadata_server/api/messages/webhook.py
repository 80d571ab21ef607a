"""Webhooks, how they stand, and their deliveries on the wire."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from mds.v1 import webhook_delivery_pb2, webhook_pb2

from metadata_server.api.messages.enums import (
    DELIVERY_STATES,
    DELIVERY_TYPES,
    KINDS,
    VIEWS,
    WEBHOOK_STATES,
)
from metadata_server.api.messages.position import position_message, time_message
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.resource import shared_content, shared_fields
from metadata_server.domain.deliveries.delivery import Delivery, Gap, WebhookStatus
from metadata_server.domain.deliveries.signature import Secret
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.names import Kind
from metadata_server.domain.watch import View


def webhook_message(webhook: Webhook) -> webhook_pb2.Webhook:
    return webhook_pb2.Webhook(
        **shared_fields(webhook),
        url=webhook.url,
        kinds=[KINDS.number[each] for each in webhook.kinds],
        id_prefix=webhook.id_prefix,
        filter=webhook.filter,
        view=VIEWS.number[webhook.view],
        enabled=webhook.enabled,
    )


def webhook_of(message: webhook_pb2.Webhook, id: str, reading: Reading) -> Webhook:
    kinds = {
        reading.member(KINDS, number, f"kinds[{place}]", Kind.VARIABLE)
        for place, number in enumerate(message.kinds)
    }
    return Webhook(
        **shared_content(message, id),
        url=message.url,
        kinds=tuple(sorted(kinds)),
        id_prefix=message.id_prefix,
        filter=message.filter,
        view=reading.member(VIEWS, message.view, "view", View.FULL),
        enabled=message.enabled if message.HasField("enabled") else True,
    )


def status_message(status: WebhookStatus) -> webhook_pb2.WebhookStatus:
    message = webhook_pb2.WebhookStatus(
        webhook=Kind.WEBHOOK.name_of(status.id),
        state=WEBHOOK_STATES.number[status.state],
        secrets=map(secret_message, status.secrets),
    )
    course = status.course
    if course is None:
        return message
    message.MergeFrom(
        webhook_pb2.WebhookStatus(
            position=position_message(course.position),
            last_delivery_time=time_message(course.delivery_time_us),
            failing_since=time_message(course.failing_since_us),
            attempts=course.attempts,
            next_attempt_time=time_message(course.next_time_us),
            http_status=course.http_status,
            error=course.error,
            replica=course.replica,
            gap=gap_message(course.gap) if course.gap else None,
        )
    )
    return message


def gap_message(gap: Gap) -> webhook_pb2.WebhookGap:
    return webhook_pb2.WebhookGap(
        reason=gap.reason,
        after=position_message(gap.after),
        position=position_message(gap.position),
        time=time_message(gap.time_us),
    )


def secret_message(secret: Secret) -> webhook_pb2.WebhookSecret:
    """All that is told of a secret."""
    return webhook_pb2.WebhookSecret(
        set_time=time_message(secret.set_time_us),
        author=secret.author,
        reason=secret.reason,
        expire_time=time_message(secret.end_time_us),
    )


def delivery_message(delivery: Delivery, webhook: str) -> webhook_delivery_pb2.WebhookDelivery:
    """A delivery of the webhook of an id."""
    duration = Duration()
    duration.FromMicroseconds(delivery.duration_us)
    return webhook_delivery_pb2.WebhookDelivery(
        id=delivery.id,
        webhook=Kind.WEBHOOK.name_of(webhook),
        type=DELIVERY_TYPES.number[delivery.type],
        state=DELIVERY_STATES.number[delivery.state],
        after=position_message(delivery.after),
        position=position_message(delivery.position),
        events=delivery.events,
        create_time=time_message(delivery.create_time_us),
        attempt_time=time_message(delivery.attempt_time_us),
        attempts=delivery.attempts,
        http_status=delivery.http_status,
        duration=duration,
        error=delivery.error,
        replica=delivery.replica,
        redelivery_of=delivery.redelivery_of,
    )
