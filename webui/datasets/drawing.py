"""Draws what a form about a declaration leads to: itself, a conflict, or all that was typed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Generic

from aiohttp import web

from control_units.client import ClientError, Refused, Stale
from webui.datasets.conflict import choices, conflict_page
from webui.datasets.edited import Edited, R
from webui.datasets.form import Form, new_request_id
from webui.datasets.problem import Problem, by_path, field_of, without_field
from webui.datasets.slots import moved
from webui.datasets.texts import Misread
from webui.names import id_of, page_of
from webui.refusals import told
from webui.site import READ_SECONDS, Site, can_be_mended, explain, may_be_done
from webui.translation import _


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form is, and where it leads.

    Attributes:
        name: of the resource that it is about; `control_units/new` of one that is not there yet.
        action: where it is sent.
        like: id of the one that a new one is made like; empty: of none.
        there: id of one that is there already and was to be created; empty: none.
    """

    name: str
    action: str
    is_new: bool = False
    like: str = ""
    there: str = ""

    @property
    def page(self) -> str:
        """Where who cancels goes."""
        if self.is_new:
            return f"/{self.name.partition('/')[0]}"
        return page_of(self.name)


class Drawing(Generic[R]):
    """Of one kind of resources."""

    def __init__(self, site: Site, edited: Edited[R]) -> None:
        self._site = site
        self._edited = edited

    async def form(
        self,
        place: Place,
        resource: R,
        form: Form,
        *,
        problems: Sequence[Problem] = (),
        status: int = HTTPStatus.OK,
    ) -> web.Response:
        """Raises: ClientError."""
        told = by_path(problems)
        context = self._context(place, form) | {
            "title": self._title(place),
            "problems": told,
        }
        context |= await self._edited.surroundings(resource, form)
        return self._site.page(self._edited.template, context, status=status)

    async def again(
        self,
        place: Place,
        resource: R,
        form: Form,
        *,
        failure: ClientError | TimeoutError | Misread | None = None,
        sent: R | None = None,
    ) -> web.Response:
        """The form as it is filled in, with what is wrong with it; or all that was typed.

        Args:
            failure: None: nothing is wrong, it shall only be drawn again.
            sent: what was refused.
        """
        problems: Sequence[Problem] = ()
        try:
            if isinstance(failure, TimeoutError | ClientError) and not can_be_mended(failure):
                return self.rescue(place, form, failure, written=True)
            if isinstance(failure, Refused | Misread):
                # What is sent next is another intent.
                form = replace(form, request_id=new_request_id())
                problems = self._problems(failure, sent)
            status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
            async with asyncio.timeout(READ_SECONDS):
                return await self.form(place, resource, form, problems=problems, status=status)
        except (ClientError, TimeoutError) as second:
            return self.rescue(place, form, second)

    async def redraw(self, place: Place, resource: R, form: Form, word: str) -> web.Response:
        """The form as it is filled in, with an entry moved if a button's word says so."""
        fields = moved(resource, form.fields, word)
        return await self.again(place, resource, replace(form, fields=fields, moved=word))

    def conflict(self, base: R, form: Form, now: R, stale: Stale | None) -> web.Response:
        """Mine, theirs and what both began with; what is chosen is sent with the new etag.

        Args:
            stale: None: both were to be created, and theirs is there.
        """
        fields_of = self._edited.fields_of
        before = fields_of(base) if stale else {}
        found = choices(before, form.fields, fields_of(now), words_of=self._edited.words_of)
        return conflict_page(self._site, now, found, form.reason, stale=stale)

    def rescue(
        self,
        place: Place,
        form: Form,
        failure: ClientError | TimeoutError,
        *,
        written: bool = False,
    ) -> web.Response:
        """The form without anything that only the server knows.

        Args:
            written: it failed where it was to be saved, and not before.
        """
        title, message, status = explain(failure)
        context = self._context(place, form) | {
            "what": self._title(place),
            "title": title,
            "message": message,
            "may_be_done": written and may_be_done(failure),
        }
        return self._site.page("datasets/rescue.html", context, status=status)

    def gone(self, place: Place, form: Form) -> web.Response:
        """The same, where somebody has deleted what was edited: it can be declared anew."""
        id = id_of(place.name)
        anew = Place(place.name, f"/{place.name.partition('/')[0]}/new", like=id)
        context = self._context(anew, replace(form, fields={"id": id, **form.fields})) | {
            "what": self._edited.title,
            "title": _("Somebody has deleted it meanwhile"),
            "message": _("What is sent from here declares it anew, as it was, with your changes."),
            "may_be_done": False,
        }
        return self._site.page("datasets/rescue.html", context, status=HTTPStatus.NOT_FOUND)

    def _problems(self, failure: Refused | Misread, sent: R | None) -> list[Problem]:
        if isinstance(failure, Misread):
            return [Problem(failure.path, failure.message)]
        found = [
            Problem("id", without_field(each.field, each.description))
            if each.field == "name"
            else self._edited.problem_of(each.field, each.description, sent)
            for each in failure.violations
            if sent is not None
        ]
        return found or [Problem(field_of(failure), told(failure))]

    def _title(self, place: Place) -> str:
        return self._edited.new_title if place.is_new else self._edited.title

    def _context(self, place: Place, form: Form) -> dict[str, object]:
        return {
            "name": place.name,
            "id": "" if place.is_new else id_of(place.name),
            "page": place.page,
            "action": place.action,
            "is_new": place.is_new,
            "like": place.like,
            "there": page_of(f"{place.name.partition('/')[0]}/{place.there}")
            if place.there
            else "",
            "form": form,
            "words_of": self._edited.words_of,
        }
