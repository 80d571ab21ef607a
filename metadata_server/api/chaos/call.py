"""One command on its way: asks the protocol, whose servicers answer REST and gRPC as well."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from metadata_server.api.chaos.form import Form
from metadata_server.api.chaos.parm import Parm
from metadata_server.api.prepared import message_of
from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.encoding import Json
from metadata_server.domain.refused import RefusalKind, Refused

PAGE_SIZE = 1000
AT_ONCE = 16
"""Calls of one command that are under way."""
Ask = Callable[[str], Any]
"""Gives the handler of a method by its name (`Variables.GetVariable`)."""
Asked = tuple[str, Any]
"""A method and its request."""


@dataclass(frozen=True, slots=True)
class Call:
    """
    Attributes:
        check: raises where the caller may not call a method.
        reason, key: why, and what makes a repeated call safe, as headers say; may be empty.
        calls: how often each method that writes has been called.
        turns: a command about a whole facility asks for some units at a time; all at once they would
            be refused as too many for this replica.
    """

    handler: Ask
    check: Callable[[str], None]
    form: Form
    parm: Parm
    context: RestContext
    reason: str = ""
    key: str = ""
    calls: Counter[str] = field(default_factory=Counter)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def ask(self, method: str, request: Any) -> Any:
        """The reply of a method that answers with one message."""
        self.check(method)
        told = self._told(method, request)
        async with self.turns:
            reply = await self.handler(method).unary_unary(told, self.context)
        return message_of(reply)

    async def stream(self, method: str, request: Any) -> AsyncIterator[Any]:
        """The messages of a method that answers with many."""
        self.check(method)
        handle = self.handler(method).unary_stream
        async with aclosing(handle(self._told(method, request), self.context)) as messages:
            async for message in messages:
                yield message

    async def save(self, *, create: Asked, change: Asked) -> None:
        """Changes what is there, or creates it.

        With a key it is the creation that is asked first. A command that comes again then gets
        the answer of its own creation, and does not change what others made of that since.
        """
        first, second, unless = (
            (create, change, RefusalKind.EXISTS)
            if self.key
            else (change, create, RefusalKind.NOT_FOUND)
        )
        try:
            await self.ask(*first)
        except Refused as refused:
            if refused.kind is not unless:
                raise
            await self.ask(*second)

    async def listed(self, method: str, request: Any, field: str) -> AsyncIterator[Any]:
        """What a list holds, read in pages of one moment."""
        request.page_size = request.page_size or PAGE_SIZE
        while True:
            page = await self.ask(method, request)
            for each in getattr(page, field):
                yield each
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _told(self, method: str, request: Any) -> Any:
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.reason = request.reason or self.reason
            self.calls[method] += 1
            if self.key:  # one command may come to several calls, each with an id of its own
                text = f"{method}\0{self.calls[method]}\0{self.key}"
                request.request_id = hashlib.sha256(text.encode()).hexdigest()
        return request


Run = Callable[[Call], Awaitable[Json]]
