"""Compares what was declared at two revisions, a batch of candidates at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from metadata_server.domain.change import Action, Position
from metadata_server.domain.difference import differences
from metadata_server.domain.intent.comparison import Comparing, Difference
from metadata_server.domain.moment import EXPECTED
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.store.intent.candidates import Between, Candidate, few_candidates
from metadata_server.store.past.change_lists import key_ever
from metadata_server.store.past.history import Image, images_at, learn_references, resource_of
from metadata_server.store.past.moments import check_kept, position_at
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Scope:
    """A comparison that has begun.

    Attributes:
        columns: keys that images have, at either moment, by column.
        candidates: all of them; None: they are read a batch at a time.
    """

    earlier: Position
    later: Position
    between: Between
    columns: tuple[tuple[str, int], ...]
    candidates: Sequence[Candidate] | None


def begin(unit: UnitOfWork, wanted: Comparing) -> Scope:
    """Where a comparison reaches.

    Raises:
        Refused: HISTORY_TRIMMED, HISTORY_RESET, INVALID_FIELD; the kind's NOT_FOUND.
    """
    if wanted.earlier is None:
        raise Refused.wrong_fields([WrongField("from", "", EXPECTED)])
    kinds = kinds_of(wanted)
    earlier = position_at(unit, wanted.earlier, kinds)
    later = position_at(unit, wanted.later, kinds)
    if later < earlier:
        expected = f"a moment up to the later one, which is revision {later.revision}"
        raise Refused.wrong_fields([WrongField("from", str(earlier.revision), expected)])
    between = Between(earlier.revision, later.revision, kinds, wanted.id_prefix)
    columns = tuple(
        (f"{kind.value}_key", key_ever(unit.connection, kind, id))
        for kind, id in (
            (Kind.TEMPLATE, wanted.template),
            (Kind.UNIT_SERVER, wanted.unit_server),
        )
        if id
    )
    if wanted.kind is not None:
        key = key_ever(unit.connection, wanted.kind, wanted.id)
        one = Candidate(DECLARED.index(wanted.kind), wanted.id, key)
        return Scope(earlier, later, replace(between, prefix=""), columns, [one])
    return Scope(earlier, later, between, columns, few_candidates(unit, between))


def kinds_of(wanted: Comparing) -> frozenset[Kind]:
    if wanted.kind is not None:
        return frozenset({wanted.kind})
    kinds = frozenset(wanted.kinds or DECLARED)
    of_units = wanted.template or wanted.unit_server
    return kinds & {Kind.CONTROL_UNIT} if of_units else kinds


def compare(unit: UnitOfWork, scope: Scope, candidates: Sequence[Candidate]) -> list[Difference]:
    """How some candidates differ, in their order.

    Raises:
        Refused: HISTORY_TRIMMED, when trimming has come past the earlier moment meanwhile.
    """
    check_kept(unit, scope.earlier.revision, scope.between.kinds)
    keys = [candidate.key for candidate in candidates]
    earlier = images_at(unit, keys, scope.earlier.revision)
    later = images_at(unit, keys, scope.later.revision)
    for kind in {candidate.kind for candidate in candidates}:
        images = [each.data for each in (*earlier.values(), *later.values()) if each.kind is kind]
        learn_references(unit.keys, kind, images)
    found = []
    for candidate in candidates:
        pair = (present(earlier.get(candidate.key)), present(later.get(candidate.key)))
        if any(passes(scope, image) for image in pair):
            found.append(difference(unit, *pair))
    return [each for each in found if each is not None]


def present(image: Image | None) -> Image | None:
    return None if image is None or image.action is Action.DELETED else image


def passes(scope: Scope, image: Image | None) -> bool:
    return image is not None and all(image.data.get(column) == key for column, key in scope.columns)


def difference(unit: UnitOfWork, before: Image | None, after: Image | None) -> Difference | None:
    """How one resource differs; None: it does not."""
    if before is None or after is None:
        image = after or before
        assert image is not None
        return Difference(
            kind=image.kind,
            id=image.data["id"],
            action=Action.CREATED if after else Action.DELETED,
            from_etag=etag_of(before),
            to_etag=etag_of(after),
        )
    was, now = resource_of(before, unit.keys), resource_of(after, unit.keys)
    differing = differences(was, now)
    if not differing and was.id == now.id:
        return None
    return Difference(
        kind=after.kind,
        id=now.id,
        former_id="" if was.id == now.id else was.id,
        action=Action.UPDATED,
        differences=differing,
        from_etag=was.etag,
        to_etag=now.etag,
    )


def etag_of(image: Image | None) -> str:
    return "" if image is None else str(image.revision)
