"""Bundles: many resources of mixed kinds, taken or refused as a whole; and their export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from metadata_server.domain.bundle import Item
from metadata_server.domain.change import Caller
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.resource import Resource
from metadata_server.domain.template import Template, newest_published
from metadata_server.services.plans import Applied, Applying, carry_out
from metadata_server.services.progress import ApplyProgress
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.selections import id_range
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


class Bundles:
    """Applies and exports bundles."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def apply(
        self, caller: Caller, items: Sequence[Item], how: Applying, progress: ApplyProgress
    ) -> Answer[Applied]:
        """Applies a bundle in one transaction.

        Raises:
            Refused: REQUEST_ID_REUSED, PLAN_MOVED, HISTORY_RESET, CONTENTION. Problems of items
                are not raised: they stand in the decisions.
        """
        return await self._store.transact(
            lambda unit: carry_out(unit, lambda _: items, how, progress), caller=caller
        )

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
    """The versions of templates that units stand on, the newest published one, and the newest,
    oldest first."""
    in_use = unit.resources.versions_in_use()
    for template in resources:
        if isinstance(template, Template):
            versions = unit.resources.all_versions(template)
            published = newest_published({v.version: v.version_state for v in versions})
            for version in versions:
                pair = (template.meta.key, version.version)
                if pair in in_use or version.version in {template.version, published}:
                    yield version
