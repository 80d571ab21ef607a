"""Webhooks: URLs that changes are sent to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.resource import Resource
from metadata_server.domain.watch import View, WatchFilter, wanted_by

LONGEST_URL = 2000
SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Resource):
    """That changes are sent to a URL.

    Attributes:
        kinds: sorted; none: all.
        id_prefix: ids begin with this text.
        filter: that resources pass, which are all of one kind then.
        enabled: else nothing is sent, and what happens meanwhile is sent later.
    """

    kind: ClassVar[Kind] = Kind.WEBHOOK

    url: str = ""
    kinds: tuple[Kind, ...] = ()
    id_prefix: str = ""
    filter: str = ""
    view: View = View.FULL
    enabled: bool = True

    @property
    def wanted(self) -> WatchFilter:
        """What it is told."""
        return WatchFilter(frozenset(self.kinds) or frozenset(Kind), self.id_prefix, self.filter)


def webhook_faults(webhook: Webhook) -> Iterator[WrongField]:
    fault = url_fault(webhook.url)
    if fault:
        yield WrongField("url", without_user(webhook.url), fault)
    if not BEGINS_AN_ID.match(webhook.id_prefix):
        yield WrongField("id_prefix", webhook.id_prefix, "the beginning of ids, like DAFNE/PL/")
    try:
        wanted_by(webhook.kinds, webhook.id_prefix, webhook.filter)
    except Refused as refused:
        yield from refused.fields


def url_fault(url: str) -> str:
    """What would be right instead of this URL; empty: it is right."""
    if len(url) > LONGEST_URL:
        return f"a URL of at most {LONGEST_URL} characters, not {len(url)}"
    if any(each <= " " or each > "~" for each in url):
        return "a URL of printable ASCII characters, all others percent-encoded"
    parts = split_url(url)
    if parts is None or parts.scheme not in SCHEMES or not parts.hostname:
        return "https://host/path or http://host:port/path"
    if "@" in parts.netloc:
        return "a URL without user and password: everybody can read it"
    if "#" in url:
        return "a URL without a fragment (#), which no server is told"
    return ""


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL; None: it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def without_user(url: str) -> str:
    """A URL as it may be shown: somebody may have written a password into it."""
    before, at, after = url.rpartition("@")
    return f"{before.partition('://')[0]}://***@{after}" if at else url
