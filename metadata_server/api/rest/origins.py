"""Pages of other origins (CORS): kept out unless the operator names them."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from metadata_server.api.rest.answers import refusal
from metadata_server.domain.refused import Refused

READING = frozenset({"GET", "HEAD", "OPTIONS"})
EXPOSED = "Allow, ETag, Link, Location, Mds-Position, Retry-After, X-Request-Id"
ACCEPTED = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Mds-Client, "
    "Mds-Min-Revision, Mds-Principal, Mds-Reason, X-Request-Id"
)
KEPT_S = 600


class Origins:
    """Whose pages may call.

    Args:
        allowed: origins like `https://panel.example.org`; `*`: everybody's.
    """

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    @property
    def are_any(self) -> bool:
        return bool(self._allowed)

    def is_allowed(self, origin: str) -> bool:
        return origin in self._allowed or "*" in self._allowed

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Tells a browser that its page may read the answer; for `on_response_prepare`."""
        origin = request.headers.get("Origin")
        if origin is None:
            return
        vary = response.headers.get("Vary")
        response.headers["Vary"] = f"{vary}, Origin" if vary else "Origin"
        if self.is_allowed(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED

    def first_answer(self, request: web.Request) -> web.Response | None:
        """What a page is answered before anything is done; None: it may go on."""
        origin = request.headers.get("Origin")
        if origin is None or is_own(request, origin):
            return None
        is_allowed = self.is_allowed(origin)
        if is_allowed and is_preflight(request):
            return preflight(request)
        if not is_allowed and request.method not in READING:
            # A browser sends a simple POST for any page without asking; it is not to act.
            return refusal(not_allowed(origin))
        return None


def is_own(request: web.Request, origin: str) -> bool:
    return urlsplit(origin).netloc == request.headers.get("Host")


def is_preflight(request: web.Request) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def preflight(request: web.Request) -> web.Response:
    headers = {
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PATCH, DELETE",
        "Access-Control-Allow-Headers": ACCEPTED,
        "Access-Control-Max-Age": str(KEPT_S),
    }
    if "Access-Control-Request-Private-Network" in request.headers:
        headers["Access-Control-Allow-Private-Network"] = "true"
    return web.Response(status=204, headers=headers)


def not_allowed(origin: str) -> Refused:
    return Refused.invalid(
        "ORIGIN_NOT_ALLOWED",
        f"Pages of {origin[:100]} may not change anything here; its operator may allow them by "
        "MDS_CORS_ORIGINS.",
        origin=origin[:100],
    )
