"""`GET /palette?q=…`: whatever is called so, of all kinds, and the pages of the header."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web
from mds.v1.agent_pb2 import ListAgentsRequest
from mds.v1.control_unit_pb2 import ListControlUnitsRequest
from mds.v1.operation_pb2 import ListOperationsRequest
from mds.v1.template_pb2 import ListTemplatesRequest
from mds.v1.unit_server_pb2 import ListUnitServersRequest

from control_units.client import Client, ClientError
from webui.lists.reading import Call, Query
from webui.names import id_of, page_of
from webui.navigation import NAVIGATION
from webui.site import Site
from webui.translation import _, gettext_noop

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
    """

    what: str
    text: str
    page: str
    is_id: bool = False
    note: str = ""


def routes(site: Site) -> list[web.RouteDef]:
    async def palette(request: web.Request) -> web.Response:
        q = request.query.get("q", "").strip()
        finds, silent = await finds_of(site.client, q, as_of=site.as_of)
        context: dict[str, object] = {"q": q, "finds": finds, "silent": silent}
        if request.headers.get("HX-Request") == "true":
            return site.fragment("frame/finds.html", context)
        return site.page("frame/palette.html", context)

    return [web.get("/palette", palette)]


async def finds_of(client: Client, q: str, *, as_of: str) -> tuple[list[Find], list[str]]:
    """What is found, and the kinds that nobody answered about in time."""
    pages = list(_pages(q))
    if not q:
        return pages, []
    calls = _calls(client)
    results = await asyncio.gather(
        *(asyncio.wait_for(_called(call, q, as_of), PATIENCE_SECONDS) for call in calls.values()),
        return_exceptions=True,
    )
    silent: list[str] = []
    for what, result in zip(calls, results, strict=True):
        if isinstance(result, ClientError | TimeoutError):
            silent.append(_(what))
        elif isinstance(result, BaseException):
            raise result
        else:
            pages += [
                Find(what, id_of(name), page_of(name), is_id=True, note=note)
                for name, note in result
            ]
    return pages, silent


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


def _pages(q: str) -> Iterable[Find]:
    for entry in NAVIGATION:
        if q.casefold() in _(entry.title).casefold():
            yield Find(gettext_noop("Page"), entry.title, entry.page, note=f"g {entry.key}")
    if q.casefold() in _("Keys").casefold():
        yield Find(gettext_noop("Page"), gettext_noop("Keys"), "/keys", note="?")
    if q.casefold() in _("Import").casefold():
        yield Find(gettext_noop("Page"), gettext_noop("Import"), "/import")


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
