"""A form about several things that somebody has ticked: their number is confirmed, each has a call of
its own, and those that were refused are shown again with why."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from aiohttp import web
from multidict import MultiMapping

from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.problem import field_of
from webui.lists.ticked import Ticked
from webui.lists.together import Outcome, one_by_one
from webui.refusals import told
from webui.site import Site
from webui.visit import come_back_to

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a plan shows besides the things that it is about.

    Attributes:
        problem: why nothing, or not all, has just been done.
        refused: why, by id.
        field: that the problem is about: `reason`, `typed_count`; empty: none of them.
    """

    reason: str = ""
    problem: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickedForm(Generic[T]):
    """One that was sent.

    Attributes:
        path: where to.
        more: what its address has besides the things.
        plan: draws it, of those that are left.
    """

    site: Site
    path: str
    posted: MultiMapping[Any]
    ticked: Ticked
    more: tuple[tuple[str, str], ...] = ()
    plan: Callable[[Ticked, Shown], Awaitable[web.Response]]

    @property
    def reason(self) -> str:
        return self._text("reason")

    def come_back(self, ticked: Ticked) -> None:
        """Another theme, or a log-in, leads to the plan of these."""
        come_back_to(self.path, [*self.more, *ticked.pairs])

    async def carry_out(
        self,
        call: Callable[[str, str], Awaitable[T]],
        *,
        unconfirmed: str,
        leads_to: Callable[[Outcome[T]], str],
    ) -> web.Response:
        """
        Args:
            call: takes an id and a request id.
            unconfirmed: what is said where another number was typed.
            leads_to: the page to go on with once all is done.

        Raises:
            web.HTTPSeeOther: all is done.
        """
        asked = self._text("count")
        if asked and self._text("typed_count").strip() != asked:
            wrong = Shown(reason=self.reason, problem=unconfirmed, field="typed_count")
            return await self.plan(self.ticked, wrong)
        request_id = self._text("request_id") or new_request_id()[:32]
        outcome = await one_by_one(self.ticked.ids, request_id, call)
        if failure := outcome.failure:
            begun = bool(outcome.done)
            return again(self.site, self.path, self.posted.items(), failure, begun=begun)
        if refused := outcome.about_all:
            wrong = Shown(reason=self.reason, problem=told(refused), field=field_of(refused))
            return await self.plan(self.ticked, wrong)
        if not outcome.refused:
            raise web.HTTPSeeOther(leads_to(outcome))
        left = self.ticked.only(outcome.left)
        self.come_back(left)  # and not to what is done
        problem = outcome.words_of_gone
        return await self.plan(
            left, Shown(reason=self.reason, problem=problem, refused=outcome.left)
        )

    def _text(self, name: str) -> str:
        return str(self.posted.get(name, ""))
