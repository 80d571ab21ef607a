"""Compares two moments, in many short readings: what is past does not change between them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from metadata_server.domain.intent.comparison import Compared, Comparing
from metadata_server.store.intent.candidates import FIRST, Candidate, next_candidates
from metadata_server.store.past.comparisons import Scope, begin, compare
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

BATCH = 500


class Comparisons:
    """Tells how what is declared differs between two moments."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def compare(self, wanted: Comparing) -> AsyncGenerator[Compared, None]:
        """The differences, sorted by kind and id, in parts; at least one part.

        Raises:
            Refused: HISTORY_TRIMMED, HISTORY_RESET, INVALID_FIELD; the kind's NOT_FOUND.
        """
        scope = (await self._store.read(lambda unit: begin(unit, wanted))).value
        compared, last = 0, FIRST
        while True:

            def work(
                unit: UnitOfWork, last: Candidate = last, done: int = compared
            ) -> tuple[Compared, Candidate | None]:
                return part(unit, scope, last, done)

            answer, following = (await self._store.read(work)).value
            yield answer
            if following is None:
                return
            compared, last = answer.compared, following


def part(
    unit: UnitOfWork, scope: Scope, last: Candidate, done: int
) -> tuple[Compared, Candidate | None]:
    """The part after a candidate, and its own last candidate; None: it is the last part."""
    if scope.candidates is None:
        candidates = next_candidates(unit, scope.between, last, limit=BATCH)
    else:
        candidates = list(scope.candidates[done : done + BATCH])
    found = compare(unit, scope, candidates)
    following = candidates[-1] if len(candidates) == BATCH else None
    return Compared(scope.earlier, scope.later, found, done + len(candidates)), following
