"""How many things pass a filter."""

from __future__ import annotations

from collections.abc import Sequence

from metadata_server.domain.filter.faults import one_of
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.store.filter.counting import (
    TALLIED,
    Matches,
    matching_operations,
    matching_resources,
)
from metadata_server.store.store import Answer, Store

COUNTED = (*DECLARED, Kind.OPERATION)


class Counting:
    """Counts what is kept.

    Args:
        suspect_us: an agent that has said nothing for longer is SUSPECT.
    """

    def __init__(self, store: Store, *, suspect_us: int) -> None:
        self._store = store
        self._suspect_us = suspect_us

    async def matches(self, word: str, text: str, by: Sequence[str]) -> Answer[Matches]:
        """
        Args:
            word: of the kind: `control_unit`.

        Raises:
            Refused: INVALID_FIELD, INVALID_FILTER, DATABASE_UNAVAILABLE.
        """
        kind = next((each for each in COUNTED if each.value == word), None)
        if kind is None:
            expected = one_of([each.value for each in COUNTED])
            raise Refused.wrong_fields([WrongField("kind", word, expected)])
        known = TALLIED if kind is Kind.OPERATION else {}
        expected = f"one of {', '.join(known)}" if known else "nothing: they are only counted"
        wrong = [WrongField("by", each, expected) for each in by if each not in known]
        if wrong:
            raise Refused.wrong_fields(wrong)
        if kind is Kind.OPERATION:
            keys = tuple(dict.fromkeys(by))
            return await self._store.read(lambda unit: matching_operations(unit, text, keys))
        return await self._store.read(
            lambda unit: matching_resources(unit, kind, text, suspect_us=self._suspect_us)
        )
