"""Giving an order: its plan first, with whom it would hit; then just that.

What other units stand against is left out, unless somebody has it planned even so.
"""

import asyncio
from functools import partial
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import web
from mds.v1.operation_pb2 import (
    CreateOperationRequest,
    Operation,
    OrderVerb,
    PlanOperationRequest,
)

from control_units.client import ClientError, Invalid, Precondition, Refused, Stale
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.problem import field_of
from webui.names import id_of, page_of
from webui.operations.planned import plan_of
from webui.operations.standing import last_words
from webui.operations.verbs import order_of, orders, verb_named
from webui.planning import PLAN_SECONDS, being_planned, is_awaited, is_whole
from webui.refusals import told
from webui.selection import Chosen
from webui.site import READ_SECONDS, Site
from webui.translation import _
from webui.visit import come_back_to

EVEN_SO = ("even_so", "1")


def routes(site: Site) -> list[web.RouteDef]:
    pages = OrderPages(site)
    return [
        web.get("/operations/new", pages.plan),
        web.post("/operations/new", pages.give),
    ]


class OrderPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def plan(self, request: web.Request) -> web.Response:
        """`GET /operations/new?verb=stop&id=…`: what it would do; without both, a form to choose."""
        self._site.require("Operations.CreateOperation")
        name, chosen = request.query.get("verb", ""), Chosen.of(request.query.items())
        if "verb" not in request.query and not chosen.ids:
            return self._choose(chosen)
        verb = verb_named(name)
        if verb and chosen.may_be_many and not is_awaited(request):
            return being_planned(self._site, request, order_of(verb).word)
        even_so = EVEN_SO in request.query.items()
        return await self._plan(name, chosen, even_so=even_so, whole=is_whole(request))

    async def give(self, request: web.Request) -> web.Response:
        """`POST /operations/new`: leads to the plan as it fills up; of one unit, to that."""
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        name, chosen = texts.get("verb", ""), Chosen.of(posted.items())
        even_so = EVEN_SO in posted.items()
        come_back_to("/operations/new", _pairs(name, chosen, even_so=even_so))
        verb = verb_named(name)
        reason = texts.get("reason", "")
        plan = partial(self._plan, name, chosen, even_so=even_so, reason=reason)
        if verb is None or chosen.is_nothing:
            return await plan()
        asked = texts.get("count", "")
        if asked and texts.get("typed_count", "").strip() != asked:
            problem = _("Nothing was ordered: type the number of units that it is about.")
            return await plan(problem=problem, field="typed_count")
        try:
            async with asyncio.timeout(READ_SECONDS):
                operation = await self._client.operations.CreateOperation(
                    CreateOperationRequest(
                        operation=_operation(verb, chosen, even_so=even_so),
                        request_id=texts.get("request_id") or new_request_id(),
                        reason=reason,
                        seen_plan=texts.get("plan", ""),
                    )
                )
        except (Invalid, Precondition, Stale) as refused:
            problem = _("Nothing was ordered. %(why)s") % {"why": told(refused)}
            return await plan(problem=problem, field=field_of(refused))
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        if len(chosen.ids) == 1:
            raise web.HTTPSeeOther(f"{chosen.back}?ordered={id_of(operation.name)}")
        raise web.HTTPSeeOther(page_of(operation.name))

    async def _plan(
        self,
        name: str,
        chosen: Chosen,
        *,
        even_so: bool,
        reason: str = "",
        problem: str = "",
        field: str = "",
        whole: bool = True,
    ) -> web.Response:
        """
        Args:
            field: what the problem is about: `reason`, `typed_count`; empty: the order.
        """
        verb = verb_named(name)
        if verb is None or chosen.is_nothing:
            return self._choose(chosen, name, _("Choose what to order, and to which units."))
        asked = PlanOperationRequest(operation=_operation(verb, chosen, even_so=even_so))
        try:
            async with asyncio.timeout(PLAN_SECONDS):
                planned = await self._client.operations.PlanOperation(asked, timeout=PLAN_SECONDS)
                plan = plan_of(planned, await last_words(self._client, planned))
        except Refused as refused:
            if refused.reason in ("NOTHING_SELECTED", "INVALID_FILTER"):
                return self._choose(chosen, name, told(refused))
            return self._site.refused(refused, whole=whole)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=whole)
        context = {
            "order": order_of(verb),
            "chosen": chosen,
            "pairs": _pairs(name, chosen, even_so=even_so),
            "even_so": even_so,
            "even_so_page": f"/operations/new?{urlencode(_pairs(name, chosen, even_so=True))}",
            "plan": plan,
            "reason": reason,
            "request_id": new_request_id(),
            "problem": problem,
            "field": field,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("operations/new.html", context, status=status)

    def _choose(self, chosen: Chosen, name: str = "", problem: str = "") -> web.Response:
        """A form for what, and to which units."""
        context: dict[str, object] = {
            "orders": orders(),
            "chosen": chosen,
            "name": name.lower(),
            "problem": problem,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("operations/choose.html", context, status=status)


def _operation(verb: OrderVerb.ValueType, chosen: Chosen, *, even_so: bool) -> Operation:
    return Operation(verb=verb, selection=chosen.selection, even_so=even_so)


def _pairs(name: str, chosen: Chosen, *, even_so: bool) -> list[tuple[str, str]]:
    """The order for an address, or for a form."""
    return [("verb", name), *chosen.pairs, *([EVEN_SO] if even_so else [])]
