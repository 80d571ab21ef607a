"""Bundles: many resources of mixed kinds, taken or refused as a whole; and their export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metadata_server.domain.bundle import Decision, Item, ItemAction, OnConflict, Summary
from metadata_server.domain.change import Caller
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.resource import Resource
from metadata_server.domain.template import Template
from metadata_server.services.planning import Planning
from metadata_server.services.saving import WRITING, save_all
from metadata_server.store import requests
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.selections import id_range
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """How a bundle is to be applied; see BundleHeader."""

    on_conflict: OnConflict = OnConflict.FAIL
    validate_only: bool = False
    skip_invalid: bool = False


@dataclass(slots=True)
class ApplyProgress:
    """How far an Apply is; written by the store's thread, read by the stream."""

    checked: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """What an Apply came to; `decisions` are empty when a repeated request is answered."""

    summary: Summary
    decisions: Sequence[Decision] = field(default=())


class Bundles:
    """Applies and exports bundles."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def apply(
        self, caller: Caller, items: Sequence[Item], how: Applying, progress: ApplyProgress
    ) -> Answer[Applied]:
        """Applies a bundle in one transaction.

        Raises:
            Refused: REQUEST_ID_REUSED, CONTENTION. Problems of items are not raised: they
                stand in the decisions.
        """

        def work(unit: UnitOfWork) -> Applied:
            first = None if how.validate_only else requests.repeated(unit)
            if first is not None:
                return Applied(summary_from(first.answer))
            decisions = Planning(unit, on_conflict=how.on_conflict).decide(items)
            progress.checked = len(items)
            counts = Counter(decision.action for decision in decisions)
            good = how.skip_invalid or not counts[ItemAction.REJECTED]
            applied = good and not how.validate_only
            summary = Summary(applied=applied, counts=dict(counts))
            if applied:
                save_all(unit, decisions)
                requests.remember(unit, answer_of(summary))
                progress.written = sum(counts[action] for action in WRITING)
            return Applied(summary, decisions)

        return await self._store.transact(work, caller=caller)

    async def export(self, kinds: Sequence[Kind], id_prefix: str) -> Answer[Sequence[Resource]]:
        """All resources of some kinds (none: all) as of one position, in the order in which
        `apply` takes them; of templates every version in use, oldest first."""

        def work(unit: UnitOfWork) -> Sequence[Resource]:
            found: list[Resource] = []
            for kind in DECLARED:
                if not kinds or kind in kinds:
                    layout = LAYOUTS[kind]
                    conditions = id_range(layout.table.c.id, prefix=id_prefix)
                    resources = unit.resources.where(layout.type, *conditions)
                    found += with_versions(unit, resources) if kind is Kind.TEMPLATE else resources
            return found

        return await self._store.read(work)


def with_versions(unit: UnitOfWork, resources: Sequence[Resource]) -> Iterator[Resource]:
    """The versions of templates that units stand on, and the newest, oldest first."""
    in_use = unit.resources.versions_in_use()
    for template in resources:
        if isinstance(template, Template):
            versions = unit.resources.all_versions(template)
            for version in versions:
                pair = (template.meta.key, version.version)
                if pair in in_use or version.version == template.version:
                    yield version


def answer_of(summary: Summary) -> Mapping[str, Any]:
    counts = {action.value: count for action, count in summary.counts.items()}
    return {"applied": summary.applied, "counts": counts}


def summary_from(answer: Mapping[str, Any]) -> Summary:
    counts = {ItemAction(action): count for action, count in answer["counts"].items()}
    return Summary(applied=answer["applied"], counts=counts)
