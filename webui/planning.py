"""Pages with a plan that may take longer than a page: what comes at once says what is being
planned, and has itself replaced by the plan; without scripts, the browser goes on to that."""

from aiohttp import web

from webui.site import Site

# Time for a plan of a whole facility, in s.
PLAN_SECONDS = 60.0
# Looking needs no reason, whatever a policy wants: what is done then has its own, or is refused.
LOOKED_AT = "trial"
_WHOLE = "whole"


def is_awaited(request: web.Request) -> bool:
    """Whether the plan itself is asked for, however long it takes."""
    return _WHOLE in request.query


def is_whole(request: web.Request) -> bool:
    """Whether the answer is a page, and not put into one that is there."""
    return request.headers.get("HX-Request") != "true"


def being_planned(site: Site, request: web.Request, title: str) -> web.Response:
    """What comes at once.

    Args:
        title: what is being planned, for people.
    """
    address = request.rel_url.update_query({_WHOLE: "1"})
    return site.page("being_planned.html", {"title": title, "address": str(address)})
