"""One operation as it goes on: how far it is, what each step waits for, and how to steer it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web
from mds.v1 import operation_pb2, operation_step_pb2

from control_units.client import ClientError, Refused
from control_units.client.words import word_of
from webui.clock import Moment, moment
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.names import id_of, page_of
from webui.operations import steering_many
from webui.operations.past_operation import (
    as_it_was,
    has_changed_since,
    standing_of,
    steps_as_they_were,
)
from webui.operations.phases import STEP_STATES, by_step_state, minor_words
from webui.operations.steering import STEERING, Steer, steer, steers
from webui.operations.verbs import order_words
from webui.overview.bar import Segment
from webui.overview.doings import step_bar
from webui.past_time import time_of
from webui.refusals import told
from webui.site import READ_SECONDS, Site, can_be_mended
from webui.translation import _, gettext_noop
from webui.visit import current_visit
from webui.vocabulary import Mark

STEPS_A_PAGE = 200
_UNHEARD_OF = Mark(gettext_noop("Unknown"), "unknown", "unknown")


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to one unit.

    Attributes:
        minor: where in its state, in words: what it waits for.
        tries: beyond the first; empty: there was one at most.
    """

    unit: str
    page: str
    wave: str
    mark: Mark
    minor: str
    message: str
    tries: str
    start: Moment | None
    end: Moment | None


@dataclass(frozen=True, slots=True)
class OperationPage:
    """All but the steps.

    Attributes:
        tallies: states in which steps are, with the name that a filter has for each.
        steering: see `steers`.
    """

    name: str
    id: str
    page: str
    verb: str
    mark: Mark
    minor: str
    message: str
    author: str
    reason: str
    created: Moment
    started: Moment | None
    ended: Moment | None
    sign_of_life: Moment | None
    estimated: Moment | None
    replica: str
    steps: int
    bar: tuple[Segment, ...]
    tallies: tuple[tuple[str, Mark, int], ...]
    steering: tuple[Steer, ...]


def routes(site: Site) -> list[web.RouteDef]:
    pages = OperationPages(site)
    return [
        *steering_many.routes(site),
        web.get("/operations/{id:[^/]+}", pages.operation),
        web.post("/operations/{id:[^/]+}/{how:" + "|".join(STEERING) + "}", pages.steer),
    ]


class OperationPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._operations = site.client.operations

    async def operation(self, request: web.Request) -> web.Response:
        """`GET /operations/{id}`, or its fragment `main`; `?state=ERROR`: steps in one state."""
        whole = request.query.get("fragment") != "main"
        try:
            async with asyncio.timeout(READ_SECONDS):
                context = await self._read(request)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=whole)
        if not whole:
            return self._site.fragment("operations/operation_main.html", context)
        return self._site.page("operations/operation.html", context)

    async def steer(self, request: web.Request) -> web.Response:
        """`POST /operations/{id}/pause` and its like: leads back to the operation."""
        posted = await request.post()
        how = request.match_info["how"]
        name = f"operations/{request.match_info['id']}"
        request_id = str(posted.get("request_id", "")) or new_request_id()
        reason = str(posted.get("reason", ""))
        try:
            async with asyncio.timeout(READ_SECONDS):
                await steer(self._site.client, how, name, request_id, reason)
        except Refused as refused:
            if not can_be_mended(refused) or refused.reason == "OPERATION_NOT_FOUND":
                return again(self._site, request.path, posted.items(), refused)
            return await self._refused(request, refused, reason=reason)
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        raise web.HTTPSeeOther(page_of(name))

    async def _refused(
        self, request: web.Request, refused: Refused, *, reason: str
    ) -> web.Response:
        """The operation again, with why it cannot be steered so."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                context = await self._read(request)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        context |= {"problem": told(refused), "reason": reason}
        return self._site.page(
            "operations/operation.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY
        )

    async def _read(self, request: web.Request) -> dict[str, object]:
        """
        Raises:
            ClientError: what the server says, or that none answers.
            web.HTTPNotFound: a page that says so; it had not been ordered at that moment.
        """
        name = f"operations/{request.match_info['id']}"
        then, operation = await asyncio.gather(
            time_of(self._site.client, self._site.as_of),
            self._operations.GetOperation(operation_pb2.GetOperationRequest(name=name)),
        )
        if then and operation.create_time.ToDatetime(tzinfo=UTC) > then:
            raise web.HTTPNotFound(text=self._site.missing().text, content_type="text/html")
        is_under_way_then = then is not None and has_changed_since(operation, then)
        state = "" if is_under_way_then else request.query.get("state", "")
        states = [each for each in STEP_STATES if _name_of(each) == state]
        listed = await self._operations.ListOperationSteps(
            operation_step_pb2.ListOperationStepsRequest(
                operation=name,
                states=states,
                page_size=STEPS_A_PAGE,
                page_token=request.query.get("page", ""),
            )
        )
        today = datetime.now(UTC)
        steps = list(listed.steps)
        if then and is_under_way_then:
            operation, steps = as_it_was(operation, then), steps_as_they_were(steps, then)
        return {
            "operation": operation_page(operation, today),
            "rows": step_rows(steps, today),
            "is_under_way_then": is_under_way_then,
            "state": state if states else "",
            "token": request.query.get("page", ""),
            "next": listed.next_page_token,
            "request_id": new_request_id(),
            "problem": "",
            "reason": "",
        }


def operation_page(operation: operation_pb2.Operation, today: datetime) -> OperationPage:
    def time(field: str) -> Moment | None:
        given = operation.HasField(field)  # type: ignore[arg-type]
        return moment(getattr(operation, field), today=today) if given else None

    counts = operation.counts
    return OperationPage(
        name=operation.name,
        id=id_of(operation.name),
        page=page_of(operation.name),
        verb=order_words(operation.verb),
        mark=standing_of(operation),
        minor=minor_words(operation.minor_state),
        message=operation.message,
        author=operation.author,
        reason=operation.reason,
        created=moment(operation.create_time, today=today),
        started=time("start_time"),
        ended=time("end_time"),
        sign_of_life=time("sign_of_life_time"),
        estimated=time("estimated_end_time"),
        replica=operation.replica,
        steps=counts.steps,
        bar=step_bar(counts),
        tallies=tuple(
            (_name_of(state), mark, count) for state, mark, count in by_step_state(counts) if count
        ),
        steering=steers(operation, current_visit().person),
    )


def step_rows(
    steps: Sequence[operation_step_pb2.OperationStep], today: datetime
) -> tuple[Step, ...]:
    return tuple(
        Step(
            unit=id_of(each.control_unit),
            page=page_of(each.control_unit),
            wave=_wave(each),
            mark=STEP_STATES.get(each.state, _UNHEARD_OF),
            minor=minor_words(each.minor_state),
            message=each.message,
            tries=str(each.attempts) if each.attempts > 1 else "",
            start=moment(each.start_time, today=today) if each.HasField("start_time") else None,
            end=moment(each.end_time, today=today) if each.HasField("end_time") else None,
        )
        for each in steps
    )


def _wave(step: operation_step_pb2.OperationStep) -> str:
    if step.wave < 0:
        return ""
    number = str(step.wave + 1)
    return _("back %(wave)s") % {"wave": number} if step.is_way_back else number


def _name_of(state: operation_step_pb2.StepState.ValueType) -> str:
    return word_of(operation_step_pb2.StepState, state)
