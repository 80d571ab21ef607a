"""What control units shall use: their datasets, narrowed by templates, then by overrides.

What the units of one template and one dataset share is worked out once a replica and kept:
neither a version of a template nor a published dataset ever changes, as long as the database is
not restored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from metadata_server.domain.change import History
from metadata_server.domain.intent.configuration import Narrowing, narrow
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import VersionState, class_of
from metadata_server.domain.life.registration import Contradiction, contradiction_of
from metadata_server.domain.names import Kind
from metadata_server.store.life.datasets import datasets_of, stored_among
from metadata_server.store.unit_of_work import UnitOfWork

MAXIMUM_KEPT = 5_000
Version = tuple[int, int]
"""Key of a template, and a version of it."""
Start = tuple[int, int, str]
"""Key of a template, a version of it, and the hash of a dataset, or nothing."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What units of one version of a template and one dataset start from.

    Attributes:
        version: key of the template, and its version.
        implementation: class, without a leading `::`.
        dataset: hash; empty: nothing is published, or not known to the store.
        contradiction: why the dataset cannot be that of such units; the narrowing is then
            without it.
    """

    version: Version
    implementation: str
    dataset: str
    narrowing: Narrowing
    contradiction: Contradiction | None = None


class Configurations:
    """Works out configurations, within transactions; many threads may use it at once."""

    def __init__(self) -> None:
        self._known: dict[tuple[History, Start], Basis] = {}

    def bases(
        self, unit: UnitOfWork, wanted: Iterable[Start], *, keep: bool = True
    ) -> dict[Start, Basis]:
        """What units start from, by what decides it.

        Args:
            keep: what is read; not where this transaction has written some of it, which nobody has
                when it is rolled back.
        """
        history = unit.position.history
        distinct = set(wanted)
        known = ((each, self._known.get((history, each))) for each in distinct)
        found = {each: basis for each, basis in known if basis is not None}
        lacking = distinct - found.keys()
        return found | self._read(unit, lacking, keep=keep) if lacking else found

    def _read(
        self, unit: UnitOfWork, lacking: Collection[Start], *, keep: bool
    ) -> dict[Start, Basis]:
        history = unit.position.history  # what is read from here on is as new, or newer
        versions = unit.resources.versions((key, version) for key, version, _ in lacking)
        datasets = datasets_of(unit, (dataset for _, _, dataset in lacking))
        found = {}
        for key, version, digest in lacking:
            template = versions[key, version]
            dataset = datasets.get(digest)
            implementation = class_of(template.implementation)
            contradiction = dataset and contradiction_of(dataset.attributes, template)
            taken = None if dataset is None or contradiction else dataset
            basis = Basis(
                (key, version),
                implementation,
                taken.hash if taken else "",
                narrow(taken.attributes if taken else None, template),
                contradiction or None,
            )
            found[key, version, digest] = basis
            is_draft = template.version_state is VersionState.DRAFT
            # What is not published yet may still come, and a draft may still change.
            if keep and not is_draft and (dataset is not None or not digest):
                self._keep(history, (key, version, digest), basis)
        return found

    def _keep(self, history: History, start: Start, basis: Basis) -> None:
        if len(self._known) >= MAXIMUM_KEPT:
            self._known.clear()
        self._known[history, start] = basis


def version_of(unit: UnitOfWork, control_unit: ControlUnit) -> Version:
    return (
        unit.keys.key_of(Kind.TEMPLATE, control_unit.template),
        control_unit.template_version,
    )


def missing_datasets(unit: UnitOfWork, hashes: Iterable[str]) -> tuple[str, ...]:
    """Those of some hashes that the store lacks, sorted."""
    wanted = set(hashes) - {""}
    return tuple(sorted(wanted - stored_among(unit, wanted)))
