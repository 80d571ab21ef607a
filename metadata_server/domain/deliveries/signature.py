"""Secrets of webhooks, and signatures made with them, as Standard Webhooks says
(https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64
EXPECTED = f"{PREFIX} and {LEAST_BYTES} to {MOST_BYTES} random bytes as Base64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What deliveries are signed with.

    Attributes:
        text: as it was given; never shown, nor in the text of this object.
        author: who set it.
        end_time_us: until when it is used; 0: until there is another.
    """

    text: str = field(repr=False)
    set_time_us: int
    author: str
    reason: str = ""
    end_time_us: int = 0


def key_of(text: str) -> bytes | None:
    """The bytes of a secret; None: it is none."""
    if not text.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if LEAST_BYTES <= len(key) <= MOST_BYTES else None


def signatures(secrets: Iterable[Secret], id: str, timestamp_s: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature for each secret; empty without secrets."""
    keys = filter(None, (key_of(each.text) for each in secrets))
    signed = f"{id}.{timestamp_s}.".encode() + body
    return " ".join(f"v1,{signature(key, signed)}" for key in keys)


def signature(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
