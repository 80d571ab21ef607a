"""What a call is known by, in the log of whoever makes it and in the server's."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_WITHIN: ContextVar[str] = ContextVar("request_id", default="")


@contextmanager
def within_request(request_id: str) -> Iterator[None]:
    """Calls in it are parts of one larger request: reads are known by its id, and a change, which
    has an id of its own, is logged beside it."""
    before = _WITHIN.set(request_id)
    try:
        yield
    finally:
        _WITHIN.reset(before)


def present_request() -> str:
    """That calls are parts of; empty: of none."""
    return _WITHIN.get()


def request_id_of(request: Any) -> str:
    """That a change has; of what changes nothing, a new one. Likewise of a change whose id cannot be
    sent beside it, which the server refuses in words."""
    said: str = getattr(request, "request_id", "")
    is_sendable = said.isascii() and said.isprintable()
    return said if said and is_sendable else uuid.uuid4().hex


def told_for(request_id: str) -> str:
    """What is sent beside a call."""
    return _WITHIN.get() or request_id
