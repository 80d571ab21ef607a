"""The life of versions of templates: published, deprecated, thrown away; one method a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from metadata_server.domain.change import Caller
from metadata_server.domain.filter.asked_list import AskedList, ordered
from metadata_server.domain.intent.bundle import Decision, Item, ItemAction
from metadata_server.domain.intent.policy import touched
from metadata_server.domain.intent.template import Template, VersionState, VersionUse
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.answers import answer_of, first_answer
from metadata_server.services.intent.etags import check_etag
from metadata_server.services.intent.saving import save_all
from metadata_server.services.intent.single import decide, refuse_while_used
from metadata_server.services.intent.template_versions import without_draft
from metadata_server.store import requests
from metadata_server.store.intent.template_versions import drop_draft, unit_counts
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions of a template.

    Attributes:
        etag: of the template, which all versions share.
    """

    etag: str
    uses: Sequence[VersionUse]


class Versioning:
    """What becomes of versions of templates."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(self, id: str, asked: AskedList) -> Answer[Versions]:
        """All versions of a template that are asked for.

        Raises:
            Refused: TEMPLATE_NOT_FOUND, INVALID_FILTER, INVALID_FIELD.
        """

        def work(unit: UnitOfWork) -> Versions:
            head = unit.resources.get(Template, id)
            counts = unit_counts(unit, head.meta.key)
            versions = unit.resources.all_versions(head)
            uses = [VersionUse(each, counts.get(each.version, 0)) for each in versions]
            return Versions(head.etag, ordered(uses, asked, unit.now_us))

        return await self._store.read(work)

    async def publish(
        self, caller: Caller, id: str, *, etag: str, validate_only: bool
    ) -> Answer[Template]:
        """Makes the draft immutable, and free to use.

        Raises:
            Refused: TEMPLATE_NOT_FOUND, ETAG_REQUIRED, ETAG_MISMATCH, NOT_A_DRAFT.
        """

        def published(_: UnitOfWork, head: Template) -> Template:
            check_draft(head)
            return replace(head, version_state=VersionState.PUBLISHED)

        return await self._change(caller, id, published, etag=etag, validate_only=validate_only)

    async def deprecate(
        self, caller: Caller, id: str, version: int, *, etag: str, validate_only: bool
    ) -> Answer[Template]:
        """Lets no new unit use a version; one that is deprecated stays so.

        Raises:
            Refused: TEMPLATE_NOT_FOUND, ETAG_REQUIRED, ETAG_MISMATCH, STILL_A_DRAFT.
        """

        def deprecated(unit: UnitOfWork, head: Template) -> Template:
            found = version_of(unit, head, version)
            if found.version_state is VersionState.DRAFT:
                raise Refused.precondition(
                    "STILL_A_DRAFT",
                    f"Version {version} of {head.name} is a draft, which nobody uses yet: discard "
                    "it, or publish it first.",
                    name=head.name,
                    version=version,
                )
            return replace(found, version_state=VersionState.DEPRECATED)

        return await self._change(caller, id, deprecated, etag=etag, validate_only=validate_only)

    async def _change(
        self,
        caller: Caller,
        id: str,
        change: Callable[[UnitOfWork, Template], Template],
        *,
        etag: str,
        validate_only: bool,
    ) -> Answer[Template]:
        """Gives one version another state, by the rules of every other change of a template."""

        def work(unit: UnitOfWork) -> Template:
            if (first := first_answer(unit, validate_only=validate_only)) is not None:
                return cast("Template", first)
            head = unit.resources.get(Template, id, lock=True)
            check_etag(unit, head, etag, change=lambda before: change(unit, before))
            decision = decide(unit, change(unit, head))
            result = newest_of(head, cast("Template", decision.after))
            if not validate_only:
                if decision.action is ItemAction.CHANGED:
                    (saved,) = save_all(unit, [decision])
                    result = cast("Template", saved)
                requests.remember(unit, answer_of(result))
            return result

        return await self._store.transact(work, caller=caller)

    async def discard(
        self, caller: Caller, id: str, *, etag: str, validate_only: bool
    ) -> Answer[None]:
        """Throws the draft away; a template that has nothing else is deleted.

        Raises:
            Refused: TEMPLATE_NOT_FOUND, ETAG_REQUIRED, ETAG_MISMATCH, NOT_A_DRAFT, STILL_IN_USE.
        """

        def work(unit: UnitOfWork) -> None:
            if not validate_only and requests.repeated(unit) is not None:
                return
            head = unit.resources.get(Template, id, lock=True)
            check_etag(unit, head, etag)
            check_draft(head)
            unit.check_reason([touched(head)])
            below = unit.resources.all_versions(head)[:-1]
            if not below:
                refuse_while_used(unit, head)
            if validate_only:
                return
            discard_draft(unit, head, below)
            requests.remember(unit, {})

        return await self._store.transact(work, caller=caller)


def discard_draft(unit: UnitOfWork, draft: Template, below: Sequence[Template]) -> None:
    """Makes a template what it was below its draft, or nothing."""
    item = Item("", draft.name, None)
    if below:
        after = without_draft(draft, below[-1])
        save_all(unit, [Decision(item, ItemAction.CHANGED, draft, after)])
        return
    save_all(unit, [Decision(item, ItemAction.REMOVED, draft)])
    drop_draft(unit, draft.meta.key, draft.version)


def check_draft(head: Template) -> None:
    """Passes when the newest version is a draft.

    Raises:
        Refused: NOT_A_DRAFT.
    """
    if head.version_state is not VersionState.DRAFT:
        raise Refused.precondition(
            "NOT_A_DRAFT",
            f"{head.name} has no draft: its newest version, {head.version}, is "
            f"{head.version_state}. An update with version_state DRAFT begins one.",
            name=head.name,
            version=head.version,
        )


def version_of(unit: UnitOfWork, head: Template, version: int) -> Template:
    """One version of a template.

    Raises:
        Refused: TEMPLATE_NOT_FOUND.
    """
    found = unit.resources.versions([(head.meta.key, version)])
    if not found:
        raise Refused.not_found(
            Kind.TEMPLATE.not_found,
            f"Template {head.id!r} has no version {version}; its newest is {head.version}.",
            name=head.name,
            version=version,
        )
    return found[head.meta.key, version]


def newest_of(head: Template, changed: Template) -> Template:
    """The template as it shall be, of the version that changes."""
    if changed.version == head.version:
        return changed
    return replace(head, versions=changed.versions)
