"""`GET /palette?q=…`: whatever is called so, of all kinds, the pages, and what can be done."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from aiohttp import web
from mds.v1.agent_pb2 import ListAgentsRequest
from mds.v1.control_unit_pb2 import ListControlUnitsRequest
from mds.v1.operation_pb2 import ListOperationsRequest
from mds.v1.template_pb2 import ListTemplatesRequest
from mds.v1.unit_server_pb2 import ListUnitServersRequest
from yarl import URL

from control_units.client import Client, ClientError
from webui.frame.actions import Allows, actions_called, actions_on, begun_by, time_in
from webui.frame.pages import own_address
from webui.lists.reading import Call, Query
from webui.names import id_of, page_of
from webui.navigation import NAVIGATION
from webui.site import Site
from webui.translation import _, gettext_noop

_OTHER_PAGES = (
    (gettext_noop("Maintenances"), "/maintenances", ""),
    (gettext_noop("Policies"), "/policies", ""),
    (gettext_noop("Keys"), "/keys", "?"),
)
_THEMES = {
    "dark": gettext_noop("Dark theme"),
    "light": gettext_noop("Light theme"),
    "auto": gettext_noop("Theme as the system"),
}
# Shown of each kind; who does not find it among them types on.
MOST_OF_A_KIND = 6
# Somebody is typing: later than this, in s, what one kind would say is no longer waited for.
PATIENCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Find:
    """One place to go to.

    Attributes:
        what: its kind.
        is_id: `text` is an id, and not English.
        theme: that it sets, in place of going somewhere.
        name: of the resource; empty: it is none.
    """

    what: str
    text: str
    page: str
    is_id: bool = False
    note: str = ""
    theme: str = ""
    name: str = ""


def routes(site: Site) -> list[web.RouteDef]:
    async def palette(request: web.Request) -> web.Response:
        q = request.query.get("q", "").strip()
        here, is_past = here_of(request), bool(site.as_of)
        word, rest = begun_by(q)
        things, silent = await things_called(site.client, rest, as_of=site.as_of)
        finds = list(_done(things, word, allows=site.allows, is_past=is_past))
        if word and not finds:  # an id that begins like the name of an action
            things, silent = await things_called(site.client, q, as_of=site.as_of)
        if not word or not finds:
            pages = _pages(q, here, allows=site.allows, is_past=is_past)
            # Who types a name wants to go there first: the next key must not lead to an order.
            finds = [*pages, *things, *finds]
        context: dict[str, object] = {"q": q, "finds": finds, "silent": silent, "back": here}
        if request.headers.get("HX-Request") == "true":
            return site.fragment("frame/finds.html", context)
        return site.page("frame/palette.html", context)

    return [web.get("/palette", palette)]


def here_of(request: web.Request) -> str:
    """The page that the palette stands above, to come back to."""
    try:
        url = URL(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return "/"
    return own_address(url.raw_path_qs) if url.raw_path != "/palette" else "/"


async def things_called(client: Client, q: str, *, as_of: str) -> tuple[list[Find], list[str]]:
    """What is called so, and the kinds that nobody answered about in time."""
    if not q:
        return [], []
    calls = _calls(client)
    results = await asyncio.gather(
        *(asyncio.wait_for(_called(call, q, as_of), PATIENCE_SECONDS) for call in calls.values()),
        return_exceptions=True,
    )
    found: list[Find] = []
    silent: list[str] = []
    for what, result in zip(calls, results, strict=True):
        if isinstance(result, ClientError | TimeoutError):
            silent.append(_(what))
        elif isinstance(result, BaseException):
            raise result
        else:
            found += [
                Find(what, id_of(name), page_of(name), is_id=True, note=note, name=name)
                for name, note in result
            ]
    return found, silent


def _done(things: Sequence[Find], word: str, *, allows: Allows, is_past: bool) -> Iterable[Find]:
    """What can be done with what was found: where a word says what, or there is only one."""
    if not word and len(things) != 1:
        return
    for thing in things:
        for action in actions_on(thing.name, word, allows, is_past=is_past):
            yield Find(
                action.word, thing.text, action.page(thing.name), is_id=True, note=_(thing.what)
            )


def _calls(client: Client) -> dict[str, Call]:
    return {
        gettext_noop("Unit"): Call(
            client.control_units.ListControlUnits, ListControlUnitsRequest, "control_units"
        ),
        gettext_noop("Unit server"): Call(
            client.unit_servers.ListUnitServers, ListUnitServersRequest, "unit_servers"
        ),
        gettext_noop("Template"): Call(
            client.templates.ListTemplates, ListTemplatesRequest, "templates"
        ),
        gettext_noop("Agent"): Call(client.agents.ListAgents, ListAgentsRequest, "agents"),
        gettext_noop("Operation"): Call(
            client.operations.ListOperations, ListOperationsRequest, "operations"
        ),
    }


def _pages(q: str, here: str, *, allows: Allows, is_past: bool) -> Iterable[Find]:
    """Pages and actions that are called so; all of them where nothing is typed yet."""
    page, action = gettext_noop("Page"), gettext_noop("Action")
    for entry in NAVIGATION:
        if q.casefold() in _(entry.title).casefold():
            yield Find(page, entry.title, entry.page, note=f"g {entry.key}")
    for title, address, note in _OTHER_PAGES:
        if q.casefold() in _(title).casefold():
            yield Find(page, title, address, note=note)
    for each in actions_called(q, allows, is_past=is_past):
        yield Find(action, each.word, each.page(""))
    for theme, title in _THEMES.items():
        if q and q.casefold() in _(title).casefold():
            yield Find(action, title, "/theme", theme=theme)
    if time := time_in(q, f"{datetime.now().astimezone():%Y-%m-%d}"):
        address = "/as_of?" + urlencode({"time": time, "back": here})
        yield Find(gettext_noop("As of"), time.replace("T", " "), address, is_id=True)
    if is_past and q.casefold() in _("Back to now").casefold():
        yield Find(action, gettext_noop("Back to now"), "/as_of?" + urlencode({"back": here}))


async def _called(call: Call, q: str, as_of: str) -> list[tuple[str, str]]:
    """Names and what stands beside them; of an operation, why it was given."""
    asked = called(q)
    if call.field == "operations":
        asked = f"{asked} OR {called(q, 'reason')}"
    page = await call.page(Query(filter=asked, size=MOST_OF_A_KIND, as_of=as_of))
    return [
        (each.name, each.reason if call.field == "operations" else each.description)
        for each in page.things
    ]


def called(q: str, key: str = "id") -> str:
    """The filter of what is called so: each word stands somewhere in the id, or in another text.

    Ids differ by the case of their letters; who types in a hurry does not.
    """
    words = (word.replace("\\", "\\\\").replace('"', '\\"') for word in q.split())
    return " ".join(f"{key}:" + ",".join(f'"{each}"' for each in _cases(word)) for word in words)


def _cases(word: str) -> Iterable[str]:
    return dict.fromkeys((word, word.upper(), word.lower(), word.capitalize()))
