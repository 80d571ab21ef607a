"""`/tokens`: who may come in. For admins, as the server has it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web
from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.access_pb2 import Role
from mds.v1.token_pb2 import (
    CreateTokenRequest,
    GetTokenRequest,
    ListTokensRequest,
    RevokeTokenRequest,
    Token,
)

from control_units.client import ClientError, Refused
from control_units.client.tokens import a_new_token
from webui.access.person import role_word
from webui.access.token_rows import token_row
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.names import id_of
from webui.refusals import told
from webui.site import READ_SECONDS, Site, can_be_mended
from webui.translation import _, gettext_noop
from webui.visit import current_visit

ROLES = (Role.ROLE_VIEWER, Role.ROLE_OPERATOR, Role.ROLE_EXPERT, Role.ROLE_ADMIN)
DAY_SECONDS = 24 * 3600
# In days; 0: until it is revoked.
LENGTHS = {
    1: gettext_noop("one day"),
    30: gettext_noop("30 days"),
    90: gettext_noop("90 days"),
    365: gettext_noop("one year"),
    0: gettext_noop("until it is revoked"),
}
USUAL_DAYS = 90


def routes(site: Site) -> list[web.RouteDef]:
    pages = TokenPages(site)
    return [
        web.get("/tokens", pages.listed),
        web.post("/tokens", pages.create),
        web.get("/tokens/{id:[a-z0-9]+}/revoke", pages.ask),
        web.post("/tokens/{id:[a-z0-9]+}/revoke", pages.revoke),
    ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token that somebody asks for by the form.

    Attributes:
        days: it is good for so many; 0: until it is revoked.
    """

    principal: str = ""
    role: str = role_word(Role.ROLE_VIEWER)
    days: int = USUAL_DAYS
    program: bool = False
    reason: str = ""
    request_id: str = ""

    @classmethod
    def sent(cls, posted: Mapping[str, object]) -> "Wanted":
        texts = {name: str(value).strip() for name, value in posted.items()}
        days = texts.get("days", "")
        return cls(
            texts.get("principal", ""),
            texts.get("role", ""),
            int(days) if days.isascii() and days.isdecimal() and int(days) in LENGTHS else -1,
            texts.get("program") == "on",
            texts.get("reason", ""),
            texts.get("request_id") or new_request_id(),
        )

    @property
    def problem(self) -> str:
        if self.role not in map(role_word, ROLES):
            return _("There is no such role.")
        return "" if self.days >= 0 else _("Choose for how long it is good.")

    def token(self, name: str, sha256: str) -> Token:
        made = Token(
            name=name,
            principal=self.principal,
            role=Role.Value(f"ROLE_{self.role.upper()}"),
            program=self.program,
            sha256=sha256,
        )
        if self.days:
            made.expire_time.CopyFrom(Timestamp(seconds=int(time.time()) + self.days * DAY_SECONDS))
        return made


class TokenPages:
    """Handlers. None of them keeps a token that it has made."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._tokens = site.client.tokens

    async def listed(self, request: web.Request) -> web.Response:
        """`GET /tokens?all=1&page=…&revoked=ID`"""
        self._site.require("Tokens.ListTokens")
        return await self._list(request, Wanted(request_id=new_request_id()))

    async def create(self, request: web.Request) -> web.Response:
        """`POST /tokens`: the one answer that has the new token's text."""
        posted = await request.post()
        wanted = Wanted.sent(posted)
        if wanted.problem:
            return await self._list(request, wanted, problem=wanted.problem)
        new = a_new_token()
        asked = CreateTokenRequest(
            token=wanted.token(new.name, new.sha256),
            request_id=wanted.request_id,
            reason=wanted.reason,
        )
        try:
            async with asyncio.timeout(READ_SECONDS):
                made = await self._tokens.CreateToken(asked)
        except (ClientError, TimeoutError) as failure:
            if isinstance(failure, Refused) and can_be_mended(failure):
                return await self._refused(request, wanted, failure)
            return again(self._site, "/tokens", posted.items(), failure)
        context: dict[str, object] = {
            "token": token_row(made, own=""),
            "text": new.text,
        }
        return self._site.page("access/new_token.html", context)

    async def ask(self, request: web.Request) -> web.Response:
        """`GET /tokens/{id}/revoke`"""
        self._site.require("Tokens.RevokeToken")
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await self._tokens.GetToken(GetTokenRequest(name=_name(request)))
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        row = token_row(found, own=current_visit().person.token)
        context: dict[str, object] = {"token": row, "request_id": new_request_id()}
        return self._site.page("access/revoke.html", context)

    async def revoke(self, request: web.Request) -> web.Response:
        """`POST /tokens/{id}/revoke`"""
        posted = await request.post()
        asked = RevokeTokenRequest(
            name=_name(request),
            request_id=str(posted.get("request_id", "")) or new_request_id(),
            reason=str(posted.get("reason", "")),
        )
        try:
            async with asyncio.timeout(READ_SECONDS):
                revoked = await self._tokens.RevokeToken(asked)
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        raise web.HTTPSeeOther(f"/tokens?revoked={id_of(revoked.name)}")

    async def _refused(
        self, request: web.Request, wanted: Wanted, refused: Refused
    ) -> web.Response:
        if refused.reason in {"ROLE_REQUIRED", "UNAUTHENTICATED"}:
            return self._site.refused(refused, whole=True)
        if refused.reason == "REQUEST_ID_REUSED":
            # Nobody can show again what was made then: what is sent now is another one.
            problem = _(
                "One was made when this was sent before. If you have not seen its text, revoke it in "
                "the list, and make another one with what you typed, which is below."
            )
            return await self._list(
                request, replace(wanted, request_id=new_request_id()), problem=problem
            )
        return await self._list(request, wanted, problem=told(refused))

    async def _list(
        self, request: web.Request, wanted: Wanted, *, problem: str = ""
    ) -> web.Response:
        """The table, and the form for one more."""
        with_old = request.query.get("all", "") == "1"
        asked = ListTokensRequest(
            active_only=not with_old, page_token=request.query.get("page", "")
        )
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await self._tokens.ListTokens(asked)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        own = current_visit().person.token
        context: dict[str, object] = {
            "rows": [token_row(token, own=own) for token in found.tokens],
            "next_page": found.next_page_token,
            "with_old": with_old,
            "wanted": wanted,
            "problem": problem,
            "roles": list(map(role_word, ROLES)),
            "lengths": LENGTHS,
            "revoked": request.query.get("revoked", ""),
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("access/tokens.html", context, status=status)


def _name(request: web.Request) -> str:
    return f"tokens/{request.match_info['id']}"
