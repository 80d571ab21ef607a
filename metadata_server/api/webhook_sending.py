"""Deliveries of webhooks over HTTP: the JSON of a WatchResponse, signed as Standard Webhooks says,
sent to no address but those that the settings allow."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from aiohappyeyeballs import AddrInfoType
from mds.v1 import watch_pb2
from prometheus_client import CollectorRegistry, Counter

from metadata_server.api.messages.position import position_message
from metadata_server.api.rest.encoding import json_bytes
from metadata_server.api.traces import CallTraces
from metadata_server.api.watch import event_message
from metadata_server.domain.change import Position
from metadata_server.domain.deliveries.delivery import SHOWN_BYTES, Outcome
from metadata_server.domain.deliveries.signature import signatures
from metadata_server.domain.deliveries.targets import Targets
from metadata_server.domain.watch import Notice, View
from metadata_server.services.deliveries.postings import Posting
from metadata_server.version import version

CONNECTIONS = 100
CONNECTIONS_A_HOST = 10


class ForbiddenTarget(OSError):
    """The settings forbid to send there."""


class WebhookSender:
    """Sends deliveries; to be closed.

    Args:
        timeout_s: that one try may take, from the look-up of the name to the answer.
    """

    def __init__(
        self,
        targets: Targets,
        *,
        timeout_s: float,
        registry: CollectorRegistry,
        traces: CallTraces | None = None,
    ) -> None:
        self._targets = targets
        self._traces = traces or CallTraces()
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._http: aiohttp.ClientSession | None = None
        self._tries = Counter(
            "mds_webhook_tries", "Tries of webhooks' deliveries.", ["outcome"], registry=registry
        )

    def body_of(self, notice: Notice, view: View) -> bytes:
        """The same JSON that a watch over REST has."""
        full = view is View.FULL
        response = watch_pb2.WatchResponse(
            position=position_message(notice.position),
            events=(event_message(each, full=full) for each in notice.events),
        )
        return json_bytes(response)

    async def send(self, posting: Posting) -> Outcome:
        """Tries once. What goes wrong is in the outcome; nothing is raised for it."""
        delivery = posting.delivery
        with self._traces.sending(
            "Webhooks.deliver", delivery=delivery.id, attempt=str(delivery.attempts + 1)
        ):
            outcome = await self._send(posting)
            code = "OK" if outcome.has_arrived else "UNAVAILABLE"
            self._traces.ends(code, http_status=str(outcome.http_status))
        return outcome

    async def _send(self, posting: Posting) -> Outcome:
        began = time.perf_counter()

        def outcome(status: int, error: str = "", retry_after: str = "") -> Outcome:
            self._tries.labels("arrived" if not error else "failed").inc()
            took_us = round((time.perf_counter() - began) * 1_000_000)
            return Outcome(status, took_us, error, seconds_of(retry_after))

        try:
            async with self._session().post(
                posting.url,
                data=posting.body,
                headers={**headers_of(posting, round(time.time())), **self._traces.said()},
                allow_redirects=False,
            ) as answer:
                if 200 <= answer.status < 300:
                    return outcome(answer.status)
                said = await answer.content.read(SHOWN_BYTES)
                retry_after = answer.headers.get("Retry-After", "")
                return outcome(answer.status, fault_of(answer.status, said), retry_after)
        except TimeoutError:
            return outcome(0, f"There was no answer within {self._timeout.total:g} s.")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return outcome(0, cut(told(error)))

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            connector = aiohttp.TCPConnector(
                limit=CONNECTIONS,
                limit_per_host=CONNECTIONS_A_HOST,
                socket_factory=self._socket,
            )
            self._http = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._http

    def _socket(self, address: AddrInfoType) -> socket.socket:
        """A socket for an address that is about to be connected to: here no name, no redirect and
        no spelling of a number can lead elsewhere any more.

        Raises:
            ForbiddenTarget
        """
        family, type_, protocol, _, where = address
        host = str(where[0])
        if not self._targets.allow(host):
            raise ForbiddenTarget(f"Webhooks may not be sent to {host}: see MDS_WEBHOOK_TARGETS.")
        return socket.socket(family, type_, protocol)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
            await asyncio.sleep(0)


def headers_of(posting: Posting, timestamp_s: int) -> Mapping[str, str]:
    delivery = posting.delivery
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"mds/{version()}",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(timestamp_s),
        "Mds-Delivery": delivery.id,
        "Mds-Event": delivery.type.value.lower(),
        "Mds-Attempt": str(delivery.attempts + 1),
        "Mds-After": position_text(delivery.after),
        "Mds-Position": position_text(delivery.position),
        "Mds-View": posting.view.value,
    }
    signed = signatures(posting.secrets, delivery.id, timestamp_s, posting.body)
    if signed:
        headers["webhook-signature"] = signed
    if delivery.redelivery_of:
        headers["Mds-Redelivery-Of"] = delivery.redelivery_of
    return headers


def position_text(position: Position) -> str:
    return f"{position.store_id}/{position.epoch}/{position.revision}"


def fault_of(status: int, said: bytes) -> str:
    """What is wrong with an answer that is not 2xx."""
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed. Give the webhook that URL."
    text = " ".join(said.decode(errors="replace").split())
    return cut(f"It answered {status}: {text}" if text else f"It answered {status}.")


def told(error: BaseException) -> str:
    """An error in words, and what is behind it."""
    inner = error.__cause__ or getattr(error, "os_error", None)
    if isinstance(inner, ForbiddenTarget):
        return str(inner)
    return str(error) or type(error).__name__


def cut(text: str) -> str:
    """As much of a text as is kept."""
    return text.encode()[:SHOWN_BYTES].decode(errors="ignore")


def seconds_of(retry_after: str) -> float | None:
    """What a Retry-After says: seconds, or a date; None: nothing that can be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
