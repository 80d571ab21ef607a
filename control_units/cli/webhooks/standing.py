"""How webhooks stand: what is declared of each, and what the system says of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from control_units.cli.kinds import pages, parts
from control_units.cli.output.writing import Shape, plain_of
from control_units.cli.times import shown
from control_units.client.words import word_of

if TYPE_CHECKING:
    from mds.v1.webhook_pb2 import Webhook, WebhookStatus

    from control_units.client import Client

_HEADERS = ("id", "state", "since", "next try", "signed", "reached", "error", "url")


@dataclass(frozen=True, slots=True)
class Standing:
    """One webhook."""

    declared: "Webhook"
    status: "WebhookStatus"


async def all_standings(client: "Client") -> list[Standing]:
    from mds.v1.webhook_pb2 import ListWebhooksRequest, ListWebhookStatusesRequest

    method = client.webhooks.ListWebhookStatuses
    request = ListWebhookStatusesRequest(page_size=1000)
    stands = {each.webhook: each async for each in pages(method, request, "webhook_statuses")}
    listed = pages(client.webhooks.ListWebhooks, ListWebhooksRequest(page_size=1000), "webhooks")
    return [Standing(each, stands[each.name]) async for each in listed if each.name in stands]


async def standing(client: "Client", name: str) -> Standing:
    """
    Raises:
        Refused: there is none of this id.
    """
    from mds.v1.webhook_pb2 import GetWebhookRequest, ListWebhookStatusesRequest

    declared = await client.webhooks.GetWebhook(GetWebhookRequest(name=name))
    request = ListWebhookStatusesRequest(webhooks=[name])
    told = await client.webhooks.ListWebhookStatuses(request)
    return Standing(declared, told.webhook_statuses[0])


def _row(each: Standing) -> tuple[str, ...]:
    from mds.v1.webhook_pb2 import WebhookState

    status = each.status
    return (
        parts(each.declared.name)[1],
        word_of(WebhookState, status.state),
        shown(status.failing_since) if status.HasField("failing_since") else "",
        shown(status.next_attempt_time) if status.HasField("next_attempt_time") else "",
        "yes" if status.secrets else "no",
        str(status.position.revision),
        status.error,
        each.declared.url,
    )


def _plain(each: Standing) -> dict[str, Any]:
    return {"webhook": plain_of(each.declared), "status": plain_of(each.status)}


def _name(each: Standing) -> str:
    return each.declared.name


STANDING: Shape[Standing] = Shape(
    _HEADERS, _row, elastic=("error", "url"), plain=_plain, name=_name
)
