"""Makes a resource what it was at a moment, as a new change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from metadata_server.domain.change import Action, Caller
from metadata_server.domain.intent.bundle import Decision, Item, OnConflict
from metadata_server.domain.intent.template import Template, VersionState
from metadata_server.domain.intent.undo import forward
from metadata_server.domain.moment import EXPECTED, Moment
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.etags import check_etag
from metadata_server.services.intent.planning import Planning
from metadata_server.services.intent.template_versions import as_next
from metadata_server.services.past.going_back import WentBack, carry_back
from metadata_server.services.watching.followers import following, named_in
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.past.called_now import called_now
from metadata_server.store.past.change_lists import key_ever
from metadata_server.store.past.history import (
    check_whole,
    image_at,
    key_at,
    newest_images,
    resource_of,
)
from metadata_server.store.past.moments import position_at
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


class Revert:
    """Takes single resources back to what they were."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def revert(
        self,
        caller: Caller,
        kind: Kind,
        id: str,
        *,
        as_of: Moment | None,
        etag: str,
        validate_only: bool,
    ) -> Answer[WentBack]:
        """Makes a resource what it was. It keeps the id that it has now; one that is gone comes
        back under its key and the id that it had then. Units that it names are named as they
        are called by now. Of a template, be it gone or not, the old content becomes the draft, or
        the next version.

        Args:
            id: that it has, or ever had.
            etag: `*`: whatever is there, or nothing.

        Raises:
            Refused: the kind's NOT_FOUND, also where there was none then; INVALID_FIELD,
                HISTORY_TRIMMED, HISTORY_RESET, ETAG_REQUIRED, ETAG_MISMATCH; what its content
                breaks by now.
        """

        def work(unit: UnitOfWork) -> WentBack:
            return carry_back(
                unit,
                lambda: reverting(unit, kind, id, as_of=as_of, etag=etag),
                skip_invalid=False,
                validate_only=validate_only,
            )

        return await self._store.transact(work, caller=caller)


def reverting(
    unit: UnitOfWork, kind: Kind, id: str, *, as_of: Moment | None, etag: str
) -> Sequence[Decision]:
    if as_of is None:
        raise Refused.wrong_fields([WrongField("as_of", "", EXPECTED)])
    revision = position_at(unit, as_of, (kind,)).revision
    key = key_ever(unit.connection, kind, id)
    image = image_of(unit, kind, id, key=key, revision=revision)
    image = following(image, called_now(unit, named_in(image), revision))
    now = unit.resources.of_keys(LAYOUTS[kind].type, [key], lock=True).get(key)
    if now is None:
        check_gone(kind.name_of(id), etag)
        item = Item("", image.name, brought_back(unit, image, key=key), key=key)
    else:
        after = content_for(now, image)
        check_etag(unit, now, etag, change=lambda _: after)
        item = Item("", now.name, after, key=key)
    return Planning(unit, on_conflict=OnConflict.REPLACE, takes_back=True).decide([item])


def image_of(unit: UnitOfWork, kind: Kind, id: str, *, key: int, revision: int) -> Resource:
    """What a resource was; where it was not there yet, what its id named then.

    Raises:
        Refused: the kind's NOT_FOUND, NEWER_CONTENT.
    """
    found = image_at(unit, kind, key, revision, to_write=True)
    if found is None:
        namesake = key_at(unit.connection, kind, id, revision)
        if namesake is not None:
            found = image_at(unit, kind, namesake, revision, to_write=True)
    if found is None:
        raise Refused.not_found(
            kind.not_found,
            f"There was no {kind.words} {id!r} at revision {revision}.",
            name=kind.name_of(id),
            revision=revision,
        )
    return found


def brought_back(unit: UnitOfWork, image: Resource, *, key: int) -> Resource:
    """The content of an image, for what is gone: as if that were there as it was last.

    Raises:
        Refused: NEWER_CONTENT.
    """
    newest = newest_images(unit, key, 0, limit=2)
    last = next((each for each in newest if each.action is not Action.DELETED), None)
    if last is None:
        return image
    if last.kind is Kind.TEMPLATE:
        check_whole(last)  # it may be what is written
    return replace(content_for(resource_of(last, unit.keys), image), id=image.id)


def content_for(now: Resource, image: Resource) -> Resource:
    """The content of an image, for what is there now, or was there last."""
    if isinstance(image, Template) and isinstance(now, Template):
        is_draft = now.version_state is VersionState.DRAFT
        state = VersionState.DRAFT if is_draft else VersionState.PUBLISHED
        bare = replace(image, version_state=state, versions=(), meta=now.meta)
        return as_next(bare, now.version_state)
    return replace(forward(image, now), id=now.id)


def check_gone(name: str, etag: str) -> None:
    """Passes when the caller wants what is gone back on purpose.

    Raises:
        Refused: ETAG_REQUIRED, ETAG_MISMATCH.
    """
    if not etag:
        raise Refused.etag_required(f"{name} is gone; send '*' to have it back.", name=name)
    if etag != "*":
        raise Refused.etag_mismatch(f"{name} is gone; send '*' to have it back.", name=name)
