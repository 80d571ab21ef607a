"""The cookie that holds a token between two requests of a browser.

The token itself, so that any web process behind a balancer can serve any request, and a token that
is revoked is of no use anywhere; scripts cannot read it.
"""

import time

from aiohttp import web

from control_units.client.tokens import is_sendable
from webui.access.entrance import Entrance, asked_port
from webui.access.person import Person

# Where somebody wants to stay logged in, but never longer than the token is good, in s.
KEPT_SECONDS = 90 * 24 * 3600
_LONGEST = 200


def cookie_name(entrance: Entrance, request: web.Request) -> str:
    """One for each port: cookies do not tell ports apart, and the facility for tests may have its
    page on the same machine."""
    prefix = "__Host-" if entrance.is_https(request) else ""
    return f"{prefix}mds_token_{asked_port(request)}".rstrip("_")


def token_in(entrance: Entrance, request: web.Request) -> str:
    """Empty: there is none."""
    text = request.cookies.get(cookie_name(entrance, request), "")
    return text if len(text) <= _LONGEST and is_sendable(text) else ""


def set_cookie(
    entrance: Entrance,
    request: web.Request,
    response: web.StreamResponse,
    token: str,
    person: Person,
    *,
    keep: bool,
) -> None:
    """
    Args:
        keep: also when the browser has been closed.
    """
    left = person.end_s - int(time.time()) if person.end_s else KEPT_SECONDS
    response.set_cookie(
        cookie_name(entrance, request),
        token,
        max_age=max(0, min(left, KEPT_SECONDS)) if keep else None,
        path="/",
        httponly=True,
        secure=entrance.is_https(request),
        # With Strict, a link in a mail or in the log book would lead to the log-in page. What
        # changes something is kept to our own pages by `webui.origins`.
        samesite="Lax",
    )


def delete_cookie(entrance: Entrance, request: web.Request, response: web.StreamResponse) -> None:
    response.del_cookie(
        cookie_name(entrance, request),
        path="/",
        httponly=True,
        secure=entrance.is_https(request),
        samesite="Lax",
    )
