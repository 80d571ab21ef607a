"""What the header sets: the theme, and the moment that is looked at."""

from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from webui.frame.moment import moment_in_field
from webui.site import Site
from webui.translation import _
from webui.visit import THEME_COOKIE, THEMES

YEAR_SECONDS = 365 * 24 * 3600


def routes(site: Site) -> list[web.RouteDef]:
    async def keys(_: web.Request) -> web.Response:
        return site.page("frame/keys.html", {})

    return [
        web.post("/theme", set_theme),
        web.get("/as_of", go_to_moment),
        web.get("/keys", keys),
    ]


async def set_theme(request: web.Request) -> web.Response:
    """`POST /theme`: keeps it in a cookie, so that the next page is drawn in it at once."""
    form = await request.post()
    theme = str(form.get("theme", ""))
    if theme not in THEMES:
        raise web.HTTPUnprocessableEntity(text=_("There is no such theme.") + "\n")
    response = _see_other(own_address(str(form.get("back", "/"))))
    response.set_cookie(
        THEME_COOKIE, theme, max_age=YEAR_SECONDS, httponly=True, samesite="Strict", path="/"
    )
    return response


async def go_to_moment(request: web.Request) -> web.Response:
    """`GET /as_of?time=…&back=…`: the page one came from, as it was; without a time, as it is."""
    path, _mark, query = own_address(request.query.get("back", "/")).partition("?")
    # A page of a list then has other lines than now: it begins anew.
    kept = [(k, v) for k, v in parse_qsl(query) if k not in {"as_of", "page", "trail"}]
    if text := request.query.get("time", ""):
        try:
            kept.append(("as_of", moment_in_field(text)))
        except ValueError:
            raise web.HTTPUnprocessableEntity(
                text=_("This is no time: write it as 2026-11-15T03:12.") + "\n"
            ) from None
    return _see_other(f"{path}?{urlencode(kept)}" if kept else path)


def own_address(text: str) -> str:
    """An address of this site that a form leads back to; the overview for anything else."""
    is_own = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if is_own and text.isprintable() else "/"


def _see_other(address: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address})
