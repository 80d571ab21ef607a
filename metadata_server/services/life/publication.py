"""Datasets that running code publishes: checked, stored once, and made those of their units."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from metadata_server.domain.change import History
from metadata_server.domain.checks import dataset_faults
from metadata_server.domain.intent.attribute import Attribute
from metadata_server.domain.intent.fingerprint import dataset_hash
from metadata_server.domain.life.registration import SHA256, contradicting
from metadata_server.domain.life.session import Session
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.life.configurations import Basis, Configurations
from metadata_server.services.life.hosting import HostedUnit
from metadata_server.services.life.outbox import NotTaken
from metadata_server.store.life.datasets import Dataset, datasets_of, store_datasets
from metadata_server.store.life.statuses import SAME_SESSION, save_statuses, statuses_of
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

HASH_DIGITS = 64
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Published:
    """A dataset as it came; nothing of it has been checked.

    Attributes:
        implementation: class that publishes it, without a leading `::`.
    """

    hash: str
    attributes: tuple[Attribute, ...]
    implementation: str


@dataclass(frozen=True, slots=True)
class Publishing:
    """What became of published datasets; `changed`: keys of units whose dataset it became."""

    not_taken: tuple[NotTaken, ...]
    changed: frozenset[int]


class Publication:
    """Takes published datasets in."""

    def __init__(self, store: Store, configurations: Configurations) -> None:
        self._store = store
        self._configurations = configurations
        self._stored: set[tuple[History, str]] = set()

    async def get(self, digest: str) -> Answer[Dataset]:
        """One published dataset.

        Raises:
            Refused: DATASET_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> Dataset:
            found = datasets_of(unit, filter(SHA256.match, [digest])).get(digest)
            if found is None:
                raise Refused.not_found(
                    "DATASET_NOT_FOUND",
                    f"There is no dataset {digest[:64]!r}.",
                    name=f"datasets/{digest[:64]}",
                )
            return found

        return await self._store.read(work)

    async def publish(
        self,
        session: Session,
        datasets: Sequence[Published],
        hosted: Sequence[HostedUnit],
        awaited: Mapping[str, Collection[int]],
        *,
        history: History,
    ) -> Publishing:
        """Stores what is sound, and makes it the dataset of the units that have reported it.

        Args:
            history: that the session is of.
            hosted: units of the session.
            awaited: by hash, keys of units that reported a dataset before the store had it.
        """
        faults = {each.hash: fault_of(each) for each in datasets}
        not_taken = tuple(
            NotTaken("", digest[:HASH_DIGITS], fault) for digest, fault in faults.items() if fault
        )
        sound = [each for each in datasets if faults[each.hash] is None]
        if not any(one.applied for one in hosted) and not awaited:
            # Nobody has reported one of these yet; so what is stored already changes nothing.
            sound = [each for each in sound if (history, each.hash) not in self._stored]
        if not sound:
            return Publishing(not_taken, frozenset())
        answer = await self._store.transact(
            lambda unit: self._taken(unit, session, sound, hosted=hosted, awaited=awaited)
        )
        if len(self._stored) > MOST_REMEMBERED:
            self._stored.clear()
        self._stored.update((answer.position.history, each.hash) for each in sound)
        done = answer.value
        return Publishing((*not_taken, *done.not_taken), done.changed)

    def _taken(
        self,
        unit: UnitOfWork,
        session: Session,
        sound: Sequence[Published],
        *,
        hosted: Sequence[HostedUnit],
        awaited: Mapping[str, Collection[int]],
    ) -> Publishing:
        store_datasets(unit, {each.hash: each.attributes for each in sound})
        refused: list[NotTaken] = []
        changed: set[int] = set()
        for each in sound:
            bases = self._bases(unit, each, hosted)
            refused += contradictions(each, bases)
            keys = awaited.get(each.hash, ())
            reported = [
                one
                for one, basis in bases
                if basis.contradiction is None and (one.key in keys or one.applied)
            ]
            changed |= take_over(unit, session, each, reported)
        return Publishing(tuple(refused), frozenset(changed))

    def _bases(
        self, unit: UnitOfWork, published: Published, hosted: Sequence[HostedUnit]
    ) -> list[tuple[HostedUnit, Basis]]:
        """Units of the class that publishes a dataset, each with what it starts from."""
        starts = ((*each.version, published.hash) for each in hosted)
        bases = self._configurations.bases(unit, starts, keep=False)
        found = [(each, bases[*each.version, published.hash]) for each in hosted]
        return [
            (each, basis)
            for each, basis in found
            if basis.implementation == published.implementation
        ]


def contradictions(
    published: Published, bases: Sequence[tuple[HostedUnit, Basis]]
) -> list[NotTaken]:
    """One refusal for each version of a template that a dataset contradicts."""
    one_each = {each.version: basis for each, basis in bases}
    return [
        NotTaken(
            "",
            published.hash,
            contradicting("", basis.narrowing.template, published.hash, basis.contradiction),
        )
        for basis in one_each.values()
        if basis.contradiction is not None
    ]


def take_over(
    unit: UnitOfWork, session: Session, published: Published, hosted: Sequence[HostedUnit]
) -> set[int]:
    """Makes a dataset that of units of a session; the keys of those it became."""
    statuses = statuses_of(unit, [each.key for each in hosted], lock=True)
    after = [
        replace(status, dataset=published.hash)
        for status in statuses.values()
        if status.session == session.id and status.dataset != published.hash
    ]
    if after:
        save_statuses(unit, after, tests=SAME_SESSION)
    return {status.key for status in after}


def fault_of(published: Published) -> Refused | None:
    """Why a dataset cannot be taken; None: it can."""
    found = dataset_hash(published.attributes)
    if found != published.hash:
        return Refused.wrong_fields(
            [WrongField("hash", published.hash, f"{found}, the SHA-256 of its content")]
        )
    faults = dataset_faults(published.attributes)
    return Refused.wrong_fields(faults) if faults else None
