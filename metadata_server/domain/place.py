"""Tokens of pages that go on behind a place: which list, and what the last one before it had."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from metadata_server.domain.page import content_of, not_a_token


def place_token(list_: str, place: Sequence[Any]) -> str:
    """The opaque token of the page behind a place of a list."""
    text = json.dumps([list_, *place], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_in(token: str, list_: str) -> list[Any]:
    """What a token of a list says after the list itself.

    Raises:
        Refused: INVALID_PAGE_TOKEN.
    """
    content = content_of(token)
    if not isinstance(content, list) or content[:1] != [list_]:
        raise not_a_token(token)
    return content[1:]
