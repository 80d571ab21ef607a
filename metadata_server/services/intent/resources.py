"""Single resources that people declare: read, create, change, delete; one method a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar, cast

from metadata_server.domain.access.role import check_fields
from metadata_server.domain.change import Caller, Position
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.policy import touched
from metadata_server.domain.intent.template import Template, states_of
from metadata_server.domain.life.timing import NEVER_SUSPECT_US
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Listing, Selection
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.answers import first_answer
from metadata_server.services.intent.etags import check_etag
from metadata_server.services.intent.single import (
    decide,
    decide_change,
    finish,
    refuse_while_guarded,
    refuse_while_used,
)
from metadata_server.services.intent.template_versions import as_next
from metadata_server.store import requests
from metadata_server.store.deliveries.webhooks import remove_webhooks
from metadata_server.store.intent.lists import resource_page
from metadata_server.store.intent.removal import check_all_locked, remove_units
from metadata_server.store.intent.shelf import Shelf
from metadata_server.store.life.statuses import statuses_of
from metadata_server.store.past.past import resource_as_of
from metadata_server.store.store import Answer, Store, told_at
from metadata_server.store.unit_of_work import UnitOfWork

R = TypeVar("R", bound=Resource)
T = TypeVar("T")


class Resources:
    """What can be done to one declared resource of any kind.

    Args:
        suspect_us: an agent that has said nothing for longer is SUSPECT.
    """

    def __init__(self, store: Store, *, suspect_us: int = NEVER_SUSPECT_US) -> None:
        self._store = store
        self._suspect_us = suspect_us

    async def get(self, type_: type[R], id: str, *, as_of: str = "") -> Answer[R]:
        """Reads one resource, as of a moment; empty: as it is now.

        Raises:
            Refused: the kind's NOT_FOUND, INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED.
        """
        return told_at(await self._store.read(lambda unit: resource_as_of(unit, type_, id, as_of)))

    async def get_version(self, id: str, version: int, *, as_of: str = "") -> Answer[Template]:
        """Reads one version of a template, as of a moment; 0: the newest that there was.

        Raises:
            Refused: TEMPLATE_NOT_FOUND, INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED.
        """

        def work(unit: UnitOfWork) -> tuple[Template, Position]:
            head, position = resource_as_of(unit, Template, id, as_of)
            return version_of(unit, head, version), position

        return told_at(await self._store.read(work))

    async def list(
        self,
        type_: type[Resource],
        selection: Selection,
        shelf: Shelf[T],
        *,
        size: int,
        token: str,
    ) -> Answer[Listing[T]]:
        """One page, by id; all pages of a list are as of the first one's position.

        Args:
            shelf: makes what is on the page of each resource.

        Raises:
            Refused: INVALID_FIELD, INVALID_PAGE_TOKEN, HISTORY_RESET, HISTORY_TRIMMED.
        """

        def work(unit: UnitOfWork) -> Listing[T]:
            return resource_page(
                unit, type_, selection, shelf, size=size, token=token, suspect_us=self._suspect_us
            )

        return await self._store.read(work)

    async def create(self, caller: Caller, resource: R, *, validate_only: bool) -> Answer[R]:
        """Creates a resource.

        Raises:
            Refused: ALREADY_EXISTS; what its content breaks, all at once.
        """

        def work(unit: UnitOfWork) -> R:
            if (first := first_answer(unit, validate_only=validate_only)) is not None:
                return cast(R, first)
            decision = decide(unit, resource)
            if decision.before is not None:
                raise Refused.exists(
                    f"{resource.name} is there already, since revision "
                    f"{decision.before.meta.revision}.",
                    name=resource.name,
                )
            return cast(R, finish(unit, decision, validate_only=validate_only))

        return await self._store.transact(work, caller=caller)

    async def update(
        self,
        caller: Caller,
        type_: type[R],
        id: str,
        *,
        etag: str,
        change: Callable[[R], R],
        validate_only: bool,
    ) -> Answer[R]:
        """Changes a resource; equal content writes nothing and wakes nobody.

        Args:
            change: gives the resource as it shall be, from what is there.

        Raises:
            Refused: NOT_FOUND, ROLE_REQUIRED, ETAG_REQUIRED, ETAG_MISMATCH; what the new content
                breaks.
        """

        def work(unit: UnitOfWork) -> R:
            if (first := first_answer(unit, validate_only=validate_only)) is not None:
                return cast(R, first)

            def changed(before: Resource) -> Resource:
                check_etag(unit, cast(R, before), etag, change=change)
                after = change(cast(R, before))
                if isinstance(before, Template) and isinstance(after, Template):
                    return as_next(after, before.version_state)
                return after

            decision = decide_change(unit, unit.resources.get(type_, id), changed)
            name, fields = decision.item.name, decision.changed_fields
            check_fields(type_.kind, name, fields, caller.principal.role)
            return cast(R, finish(unit, decision, validate_only=validate_only))

        return await self._store.transact(work, caller=caller)

    async def delete(
        self, caller: Caller, type_: type[Resource], id: str, *, etag: str, validate_only: bool
    ) -> Answer[None]:
        """Deletes a resource that nothing depends on; its history stays.

        Raises:
            Refused: NOT_FOUND, ETAG_REQUIRED, ETAG_MISMATCH, STILL_IN_USE, FORBIDDEN_BY_GUARD.
        """

        def work(unit: UnitOfWork) -> None:
            if not validate_only and requests.repeated(unit) is not None:
                return
            before = unit.resources.get(type_, id, lock=True)
            check_etag(unit, before, etag)
            refuse_while_used(unit, before)
            refuse_while_guarded(unit, before)
            unit.check_reason([touched(before)])
            if validate_only:
                return
            key = before.meta.key
            units = [key] if isinstance(before, ControlUnit) else []
            # Before the revision is claimed: reports lock statuses, then claim theirs.
            locked = statuses_of(unit, units, lock=True)
            unit.delete(before)
            check_all_locked(unit, units, locked)
            remove_units(unit, units)
            if isinstance(before, Webhook):
                remove_webhooks(unit, [key])
            requests.remember(unit, {})

        return await self._store.transact(work, caller=caller)


def version_of(unit: UnitOfWork, head: Template, version: int) -> Template:
    """A version of a template that was the newest at some time; 0: that one.

    Raises:
        Refused: TEMPLATE_NOT_FOUND.
    """
    if version in {0, head.version}:
        return head
    pair = (head.meta.key, version)
    found = unit.resources.versions([pair]).get(pair)
    if found is None or version > head.version:
        raise Refused.not_found(
            Kind.TEMPLATE.not_found,
            f"Template {head.id!r} has no version {version}; its newest is {head.version}.",
            name=head.name,
            version=version,
        )
    state = states_of(head.versions).get(version, found.version_state)
    return replace(found, id=head.id, version_state=state)
