"""`/CU` and `/MDS` on the HTTP port."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from metadata_server.api.calls import Calls, calling, nothing
from metadata_server.api.chaos.call import Call, Run
from metadata_server.api.chaos.command import Command
from metadata_server.api.chaos.commands import COMMANDS, command_of
from metadata_server.api.chaos.form import Form, form_of
from metadata_server.api.chaos.parm import Parm
from metadata_server.api.chaos.words import UNKNOWN_STATUS
from metadata_server.api.errors import error_tree
from metadata_server.api.gate import Gate
from metadata_server.api.registrar import Registrar
from metadata_server.api.rest.answers import (
    COMMON,
    JSON,
    VARY,
    compressed,
    position_header,
    refusal,
)
from metadata_server.api.rest.application import served_routes
from metadata_server.api.rest.asked import context_of
from metadata_server.api.rest.context import RestContext, header_text
from metadata_server.api.rest.encoding import Json
from metadata_server.api.rest.requests import REASON, REQUEST_ID
from metadata_server.domain.refused import Refused

PATHS = ("/CU", "/MDS")
READING, ALLOWED = frozenset({"GET", "HEAD", "POST"}), "GET, HEAD, POST, OPTIONS"
SETTING = "MDS_CHAOS_FACADE"


class Chaos:
    """Answers what clients of !CHAOS ask.

    Args:
        writes: commands that change something are carried out, too.
    """

    def __init__(self, registrar: Registrar, calls: Calls, gate: Gate, *, writes: bool) -> None:
        routes = {route.name: route for route in served_routes()}
        self._handlers = {
            name: registrar.handler(route.full_name) for name, route in routes.items()
        }
        self._writes = writes
        self._gate = gate
        self._runs = {
            command: calls.unary(f"chaos.{command.name}", carried_out(command.run), nothing)
            for command in COMMANDS
            if command.run is not None
        }

    def add_to(self, application: web.Application) -> None:
        for path in PATHS:
            application.router.add_route("*", path, self.handle)

    async def handle(self, http: web.Request) -> web.StreamResponse:
        if http.method == "OPTIONS":
            return web.Response(status=204, headers={"Allow": ALLOWED})
        try:
            if http.method not in READING:
                raise not_for(http, ALLOWED)
            form = await form_of(http)
            parm = Parm.of(form.parm) if not form.devices else Parm({})
            command = command_of(form, parm)
            if command.mutates:
                self._check(http, command)
            return await self._answer(http, command, form, parm)
        except Refused as refused:
            allowed = "POST" if http.method in READING else ALLOWED
            return told(refused, allowed)

    def _check_role(self, method: str) -> None:
        """
        Raises:
            Refused: ROLE_REQUIRED.
        """
        self._gate.check(method, calling.get().principal)

    def _check(self, http: web.Request, command: Command) -> None:
        """
        Raises:
            Refused: VERB_NOT_ALLOWED, FACADE_READ_ONLY.
        """
        if http.method != "POST":
            raise not_for(http, "POST, as this command changes something")
        if not self._writes:
            raise Refused.invalid(
                "FACADE_READ_ONLY",
                f"This server answers clients of !CHAOS only what they read. Use {command.here}, "
                f"or have its operator set {SETTING}=write.",
            )

    async def _answer(
        self, http: web.Request, command: Command, form: Form, parm: Parm
    ) -> web.StreamResponse:
        run = self._runs.get(command)
        if run is None:
            message = f"{command.name} of !CHAOS is not here; use {command.here}."
            raise Refused.invalid("NO_COUNTERPART", message)
        context = context_of(http)
        reason, key = (
            header_text(header, http.headers.get(header, "")) for header in (REASON, REQUEST_ID)
        )
        call = Call(self._handlers.__getitem__, self._check_role, form, parm, context, reason, key)
        answer = await run(call, context)
        context.check()
        return answered(http, answer, context)


def carried_out(run: Run) -> Callable[[Call, RestContext], Awaitable[Json]]:
    async def handle(call: Call, _: RestContext) -> Json:
        return await run(call)

    return handle


def not_for(http: web.Request, allowed: str) -> Refused:
    message = f"{http.method[:20]} is not for this; right would be {allowed}."
    return Refused.invalid("VERB_NOT_ALLOWED", message)


def answered(http: web.Request, answer: Json, context: RestContext) -> web.Response:
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    headers = COMMON | {"Vary": VARY, "Content-Type": JSON} | position_header(context)
    return compressed(http, web.Response(body=body, headers=headers))


def told(refused: Refused, allowed: str) -> web.Response:
    """A refusal in both shapes: as all of this server's are, and as clients of !CHAOS read."""
    headers = {"Allow": allowed} if refused.reason == "VERB_NOT_ALLOWED" else {}
    response = refusal(refused, **headers)
    body: dict[str, Any] = {
        "dev_status": UNKNOWN_STATUS,
        "log_status": "",
        "error_status": str(refused),
    }
    response.body = json.dumps(body | error_tree(refused), ensure_ascii=False).encode() + b"\n"
    return response
