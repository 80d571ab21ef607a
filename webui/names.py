"""Resource names, the ids in them, and the pages that show them."""

from functools import lru_cache
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

WORDS = frozenset(
    {
        "abort",
        "compare",
        "copy",
        "delete",
        "deprecate",
        "discard",
        "draft",
        "edit",
        "end",
        "history",
        "log",
        "new",
        "pause",
        "publish",
        "rebase",
        "rename",
        "restore",
        "resume",
        "retry",
        "revert",
        "steer",
        "undo",
    }
)
"""Last words of addresses of pages about a resource; see `page_of`."""


def id_of(name: str) -> str:
    """The id in a resource name: `control_units/A/B` has the id `A/B`."""
    return name.partition("/")[2]


@lru_cache(8_192)
def page_of(name: str) -> str:
    """Path of the page about a resource: its name; an id's colon is written `%3A`. Where its last
    word is one of WORDS, a slash behind it says that it is meant itself."""
    slash = "/" if name.rpartition("/")[2] in WORDS else ""
    return "/" + quote(name, safe="/") + slash


@web.middleware
async def without_slash(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Takes the slash of `page_of` away: no id ends with one."""
    if (id := request.match_info.get("id", "")).endswith("/"):
        request.match_info["id"] = id.rstrip("/")
    return await handler(request)


def local_page(path: str) -> str:
    """A path of this site that a form names to lead back to; the overview for anything else."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path.partition("?")[0] if is_local else "/"
