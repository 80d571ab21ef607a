"""Taking a snapshot of what units last reported that their inputs are set to."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from aiohttp import web
from mds.v1.live_values_pb2 import TakeSnapshotRequest, TakeSnapshotResponse

from control_units.client import AlreadyExists, ClientError, Refused
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.problem import without_field
from webui.names import id_of, page_of
from webui.refusals import told
from webui.selection import Chosen
from webui.site import Site, can_be_mended
from webui.snapshots.comparison import COMPARE_SECONDS
from webui.translation import _

# Units that are named one by one.
MOST_NAMED = 20


def routes(site: Site) -> list[web.RouteDef]:
    pages = TakingPages(site)
    return [web.get("/snapshots/new", pages.new), web.post("/snapshots/new", pages.take)]


class TakingPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def new(self, request: web.Request) -> web.Response:
        """`GET /snapshots/new?id=…` or `?filter=…`: a form."""
        self._site.require("Snapshots.CreateSnapshot")
        chosen = Chosen.of(request.query.items())
        return self._form(chosen, {"name": f"{datetime.now().astimezone():%Y-%m-%d-%H%M}"})

    async def take(self, request: web.Request) -> web.Response:
        """`POST /snapshots/new`: leads to what was taken; with `look`, says what would be."""
        posted = await request.post()
        texts = {name: str(value).strip() for name, value in posted.items()}
        chosen = Chosen.of(posted.items())
        if chosen.is_nothing:
            problem = _("Say of which units: write a filter, or tick that all are meant.")
            return self._form(chosen, texts, {"filter": problem})
        looks = "look" in texts
        try:
            async with asyncio.timeout(COMPARE_SECONDS):
                taken = await self._client.live_values.TakeSnapshot(
                    TakeSnapshotRequest(
                        name=f"snapshots/{texts.get('name', '')}",
                        selection=chosen.selection,
                        description=texts.get("description", ""),
                        marks=marks_in(texts.get("marks", "")),
                        even_so=texts.get("even_so") == "1",
                        reason=texts.get("reason", ""),
                        request_id=texts.get("request_id") or new_request_id(),
                        validate_only=looks,
                    ),
                    timeout=COMPARE_SECONDS,
                )
        except AlreadyExists:
            problem = _("There is another one of this name: choose another name.")
            return self._form(chosen, texts, {"name": problem}, status=HTTPStatus.CONFLICT)
        except Refused as refused:
            if not can_be_mended(refused):
                return again(self._site, request.path, posted.items(), refused, written=not looks)
            return self._form(chosen, texts, _problems(refused), gaps=_gaps(refused))
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure, written=not looks)
        if looks:
            return self._form(chosen, texts, taken=taken)
        page = page_of(taken.snapshot.name)
        raise web.HTTPSeeOther(f"{page}?saved={taken.snapshot.revision}")

    def _form(
        self,
        chosen: Chosen,
        texts: Mapping[str, str],
        problems: Mapping[str, str] | None = None,
        *,
        gaps: tuple[str, ...] = (),
        taken: TakeSnapshotResponse | None = None,
        status: int = 0,
    ) -> web.Response:
        context: dict[str, object] = {
            "chosen": chosen,
            "texts": texts,
            "problems": problems or {},
            "gaps": gaps,
            "would": would(taken) if taken else None,
            "request_id": new_request_id(),
        }
        usual = HTTPStatus.UNPROCESSABLE_ENTITY if problems or gaps else HTTPStatus.OK
        return self._site.page("snapshots/new.html", context, status=status or usual)


def would(taken: TakeSnapshotResponse) -> dict[str, object]:
    """What would be taken, in numbers, and whose values would be missing, or old."""
    return {
        "units": len(taken.snapshot.units),
        "values": sum(len(each.values) for each in taken.snapshot.units),
        "without": [id_of(each) for each in taken.without_values[:MOST_NAMED]],
        "silent": [id_of(each) for each in taken.not_in_touch[:MOST_NAMED]],
    }


def marks_in(text: str) -> list[str]:
    """Words, parted by spaces or commas."""
    return sorted(set(filter(None, re.split(r"[\s,]+", text))))


def _problems(refused: Refused) -> dict[str, str]:
    """What the server says, beside its field where it has one."""
    if refused.reason == "VALUES_MISSING":
        return {"": told(refused)}
    fields = {
        "name": "name",
        "snapshot.name": "name",
        "marks": "marks",
        "description": "description",
    }
    found = {
        fields.get(each.field.partition("[")[0], ""): without_field(each.field, each.description)
        for each in refused.violations
    }
    return found or {"filter" if refused.reason == "INVALID_FILTER" else "": told(refused)}


def _gaps(refused: Refused) -> tuple[str, ...]:
    """Units that stand against it, unless it shall be taken even so."""
    if refused.reason != "VALUES_MISSING":
        return ()
    return tuple(each.description for each in refused.violations[:MOST_NAMED]) or (told(refused),)
