"""What is sent where: addresses that the settings forbid, redirects, answers that never come."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from metadata_server.api.webhook_sending import WebhookSender, seconds_of
from metadata_server.domain.change import Position
from metadata_server.domain.deliveries.delivery import Delivery, DeliveryType, Outcome, pause_s
from metadata_server.domain.deliveries.targets import Targets
from metadata_server.domain.deliveries.webhook import Webhook, webhook_faults
from metadata_server.domain.watch import View
from metadata_server.services.deliveries.postings import Posting
from tests.webhooks.receiver import Receiver

NOWHERE = Position("store", 1, 7)
DELIVERY = Delivery(
    webhook_key=1, number=1, id="msg_1", type=DeliveryType.PING, after=NOWHERE, position=NOWHERE
)


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    sender = WebhookSender(Targets.of("loopback"), timeout_s=1, registry=CollectorRegistry())
    yield sender
    await sender.close()


async def send(sender: WebhookSender, url: str) -> Outcome:
    return await sender.send(Posting(url, DELIVERY, b"{}", View.FULL))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "[::]"],
)
async def test_nothing_is_sent_where_the_settings_forbid_it(host: str, receiver: Receiver) -> None:
    sender = WebhookSender(Targets.of("public,private"), timeout_s=1, registry=CollectorRegistry())
    try:
        port = receiver.url.rsplit(":", 1)[1].split("/")[0]
        outcome = await send(sender, f"http://{host}:{port}/in")
    finally:
        await sender.close()
    assert "MDS_WEBHOOK_TARGETS" in outcome.error
    assert not receiver.received


async def test_a_redirect_is_not_followed(sender: WebhookSender, receiver: Receiver) -> None:
    receiver.answers.append((302, {"Location": receiver.url}))
    outcome = await send(sender, receiver.url)
    assert (outcome.http_status, "redirects are not followed" in outcome.error) == (302, True)
    assert len(receiver.received) == 1


async def test_a_silent_receiver_is_left_after_a_while(
    sender: WebhookSender, receiver: Receiver
) -> None:
    receiver.gate.clear()
    outcome = await send(sender, receiver.url)
    assert (outcome.http_status, outcome.error) == (0, "There was no answer within 1 s.")


async def test_little_of_an_answer_is_kept(sender: WebhookSender, receiver: Receiver) -> None:
    receiver.usual, receiver.says = 500, "è" * 100_000
    outcome = await send(sender, receiver.url)
    assert outcome.error.startswith("It answered 500: èèè")
    assert len(outcome.error.encode()) <= 200


async def test_a_closed_port_is_told(sender: WebhookSender) -> None:
    outcome = await send(sender, "http://127.0.0.1:9/")
    assert outcome.http_status == 0
    assert "127.0.0.1" in outcome.error


@pytest.mark.parametrize(
    ("text", "address", "is_allowed"),
    [
        ("public,private", "8.8.8.8", True),
        ("public,private", "10.1.2.3", True),
        ("public,private", "fd00::1", True),
        ("public", "192.168.1.1", False),
        ("public,private", "127.0.0.1", False),
        ("public,private,loopback", "127.8.8.8", True),
        ("public,private,loopback", "169.254.169.254", False),
        ("public,private,loopback", "fe80::1%eth0", False),
        ("public,private,loopback", "::ffff:169.254.169.254", False),
        ("public,private,loopback", "100.100.100.200", False),
        ("public,private,loopback", "fd00:ec2::254", False),
        ("public,private,loopback", "64:ff9b::a9fe:a9fe", False),
        ("public,private,loopback", "224.0.0.1", False),
        ("public,private,loopback", "0.0.0.0", False),
        ("public,private,loopback", "255.255.255.255", False),
        ("public,private,loopback", "not an address", False),
        ("10.1.0.0/16", "10.1.2.3", True),
        ("10.1.0.0/16", "10.2.2.3", False),
        ("169.254.0.0/16", "169.254.1.1", True),
        ("", "8.8.8.8", False),
    ],
)
def test_targets(text: str, address: str, is_allowed: bool) -> None:  # noqa: FBT001
    assert Targets.of(text).allow(address) is is_allowed


@pytest.mark.parametrize("text", ["everywhere", "10.1.2.3/16", "public private"])
def test_targets_that_cannot_be(text: str) -> None:
    with pytest.raises(ValueError, match="right would be"):
        Targets.of(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://logbook.example/in?x=1", ""),
        ("http://10.0.0.1:8080", ""),
        ("http://[fd00::1]:8080/in", ""),
        ("ftp://logbook.example", "https://host/path"),
        ("file:///etc/passwd", "https://host/path"),
        ("https:///in", "https://host/path"),
        ("https://host:99999/", "https://host/path"),
        ("", "https://host/path"),
        ("https://me:word@host/", "without user and password"),
        ("https://host/#part", "without a fragment"),
        ("https://höst/", "printable ASCII"),
        ("https://host/a\r\nb: c", "printable ASCII"),
        ("https://host/" + "x" * 2000, "at most 2000"),
    ],
)
def test_urls(url: str, expected: str) -> None:
    faults = list(webhook_faults(Webhook(id="hook", url=url)))
    if not expected:
        assert not faults
        return
    (fault,) = faults
    assert expected in fault.expected
    assert "word" not in fault.value


def test_pauses_grow_and_are_drawn_anew() -> None:
    assert all(0 <= pause_s(1, None) <= 1 for _ in range(100))
    assert all(pause_s(30, None) <= 300 for _ in range(100))
    assert max(pause_s(9, None) for _ in range(200)) > 100
    assert 60 <= pause_s(1, 60.0) <= 61
    assert pause_s(1, 1e9) <= 3601


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5.0), (" 120 ", 120.0), ("", None), ("soon", None), ("-1", None), ("٣", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_retry_after_a_date() -> None:
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert (seconds_of("Wed, 21 Oct 2099 07:28:00 GMT") or 0) > 1e9
