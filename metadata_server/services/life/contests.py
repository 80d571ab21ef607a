"""Tells what was changed again since a change that is to be taken back, by whom and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metadata_server.domain.change import Action
from metadata_server.domain.conflict import Conflict, FieldConflict
from metadata_server.domain.intent.merge import Contested
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.resource import Resource
from metadata_server.domain.tree import leaves, tree_of
from metadata_server.store.intent.authorship import UNKNOWN, Authorship, authorships
from metadata_server.store.past.history import Image, learn_references, newest_images, resource_of
from metadata_server.store.unit_of_work import UnitOfWork

TOLD = 10
IMAGES = 50
"""How far back the author of a field is looked for."""


@dataclass(frozen=True, slots=True)
class Contest:
    """One resource that was changed again since.

    Attributes:
        now: what is there; None: it is gone.
    """

    kind: Kind
    key: int
    name: str
    now: Resource | None
    contested: Sequence[Contested]

    def problem(self, who: Authorship) -> WrongField:
        """That it is left out."""
        first = self.contested[0]
        return WrongField(
            first.path,
            first.now or "",
            f"{said(first.base)}, as the change set has left it; {by(who)}",
            "CHANGED_SINCE",
            subject=self.name,
        )


def changed_since(unit: UnitOfWork, revision: int, contests: Sequence[Contest]) -> Refused:
    """The refusal to take a change set back."""
    told = contests[:TOLD]
    authors = authors_of(unit, revision, told)
    conflicts = [
        Conflict(
            name=contest.name,
            read_etag=str(revision),
            etag=contest.now.etag if contest.now else "",
            author=who.author,
            reason=who.reason,
            fields=tuple(
                FieldConflict(each.path, each.base, each.target, each.now)
                for each in contest.contested
            ),
        )
        for contest, who in zip(told, authors, strict=True)
    ]
    first = contests[0]
    field = first.contested[0]
    more = f" So were {len(contests) - 1} more." if len(contests) > 1 else ""
    return Refused.moved(
        "CHANGED_SINCE",
        f"{field.path} of {first.name} was changed since: it is {said(field.now)}, no longer "
        f"{said(field.base)}; {by(authors[0])}.{more} Nothing was written. Take that back first, "
        "or leave out what was changed since.",
        conflicts,
        name=first.name,
        field=field.path,
        count=len(contests),
        names=" ".join(each.name for each in told),
    )


def authors_of(unit: UnitOfWork, revision: int, contests: Sequence[Contest]) -> list[Authorship]:
    """Who stands against it, one a contest: of the first who changed the field; of the rest who
    changed the resource last."""
    rest = [each.now.meta.revision if each.now else 0 for each in contests[TOLD:]]
    known = authorships(unit, rest)
    return [
        *(author_of(unit, revision, each) for each in contests[:TOLD]),
        *(known.get(each, UNKNOWN) for each in rest),
    ]


def said(value: str | None) -> str:
    return "not there" if value is None else repr(value[:80])


def by(who: Authorship) -> str:
    if who == UNKNOWN:
        return "nobody knows by whom"
    return f"{who.author} did it ({who.reason or 'no reason given'})"


def author_of(unit: UnitOfWork, revision: int, contest: Contest) -> Authorship:
    """Who changed the first field that is contested, last."""
    images = newest_images(unit, contest.key, revision, limit=IMAGES)
    if not images:
        return UNKNOWN
    learn_references(unit.keys, contest.kind, [image.data for image in images])
    path = contest.contested[0].path
    values = [value_of(unit, image, path) for image in images]
    changed = next(
        (
            image
            for image, value, before in zip(images, values, values[1:], strict=False)
            if value != before
        ),
        images[-1],
    )
    found = authorships(unit, [changed.revision])
    return found.get(changed.revision, UNKNOWN)


def value_of(unit: UnitOfWork, image: Image, path: str) -> object:
    """The value at a path of an image; of a branch all below it; None: it is not there."""
    if image.action is Action.DELETED:
        return None
    resource = resource_of(image, unit.keys)
    if path == "name":
        return resource.name
    found = leaves(tree_of(resource))
    return [
        value for each, value in found if each == path or each.startswith((f"{path}.", f"{path}["))
    ]
