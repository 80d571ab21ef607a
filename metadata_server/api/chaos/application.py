"""`/CU` and `/MDS` on the HTTP port."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from metadata_server.api.calls import CHAOS, Calls, calling
from metadata_server.api.chaos.call import Call
from metadata_server.api.chaos.command import Command
from metadata_server.api.chaos.commands import COMMANDS, command_of
from metadata_server.api.chaos.form import LARGEST_FORM_BYTES, form_of
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
from metadata_server.api.rest.requests import REASON, REQUEST_ID, weight_of
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
        self._call = calls.unary(
            CHAOS,
            self._answer,
            weight_of_form,
            becomes=[method_of(each) for each in COMMANDS if each.run is not None],
        )

    def add_to(self, application: web.Application) -> None:
        for path in PATHS:
            application.router.add_route("*", path, self.handle)

    async def handle(self, http: web.Request) -> web.StreamResponse:
        if http.method == "OPTIONS":
            return web.Response(status=204, headers={"Allow": ALLOWED})
        try:
            if http.method not in READING:
                raise not_for(http, ALLOWED)
            context = context_of(http)
            answer = await self._call(http, context)
            context.check()
            return answered(http, answer, context)
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

    async def _answer(self, http: web.Request, context: RestContext) -> Json:
        """What a command comes to; only here is read which one it is."""
        form = await form_of(http)
        parm = Parm.of(form.parm) if not form.devices else Parm({})
        command = command_of(form, parm)
        calling.get().method = method_of(command)
        if command.mutates:
            self._check(http, command)
        if command.run is None:
            message = f"{command.name} of !CHAOS is not here; use {command.here}."
            raise Refused.invalid("NO_COUNTERPART", message)
        reason, key = (
            header_text(header, http.headers.get(header, "")) for header in (REASON, REQUEST_ID)
        )
        call = Call(self._handlers.__getitem__, self._check_role, form, parm, context, reason, key)
        return await command.run(call)


def method_of(command: Command) -> str:
    """As in logs and figures."""
    return f"{CHAOS}.{command.name}"


def weight_of_form(http: web.Request) -> int:
    """
    Raises:
        Refused: MESSAGE_TOO_LARGE.
    """
    return weight_of(http, LARGEST_FORM_BYTES)


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
