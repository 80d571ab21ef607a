"""How the steps of an operation go on: which may begin now, and what becomes of the rest when
one fails. A whole run costs what its order is large, however often it is asked."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from metadata_server.domain.orchestration.ordering import Link, Ordering, order_of


class StepState(StrEnum):
    """Where one step stands. SKIPPED: people said to go on as if it were done."""

    PENDING = "PENDING"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"
    SKIPPED = "SKIPPED"


PASSED = frozenset({StepState.COMPLETED, StepState.SKIPPED})
ENDED = PASSED | {StepState.ERROR, StepState.ABORTED}


class OnFailure(StrEnum):
    """What becomes of the rest when a step fails: nothing more begins; all goes on that does not
    require what failed; or nothing more begins, and what was done is taken back."""

    STOP = "STOP"
    CONTINUE = "CONTINUE"
    ROLL_BACK = "ROLL_BACK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many steps may run at once, over all and for one unit server; 0: any number."""

    at_once: int = 0
    a_unit_server: int = 0


class Run:
    """The steps of an order while they run; a step is called by its member's position.

    Attributes:
        states: of all steps.
        aborted: steps that will never begin, each with the step whose failure it is owed to.
    """

    def __init__(
        self,
        ordering: Ordering,
        limits: Limits,
        *,
        on_failure: OnFailure,
        states: Sequence[StepState] = (),
    ) -> None:
        """Begins a run, or takes one up where it stood: `states` as another left them."""
        count = len(ordering.members)
        self.states = list(states) or [StepState.PENDING] * count
        self.aborted: dict[int, int] = {}
        self._ordering = ordering
        self._limits = limits
        self._on_failure = on_failure
        self._missing = [len(before) for before in ordering.before]
        self._doomed: dict[int, int] = {}
        self._servers = [each.unit_server or each.id for each in ordering.members]
        self._running: Counter[str] = Counter(
            self._servers[step]
            for step, state in enumerate(self.states)
            if state is StepState.EXECUTING
        )
        self._executing = self._running.total()
        self._open: list[int] = []
        self._held: dict[str, list[int]] = {}
        self._left = sum(state not in ENDED for state in self.states)
        self._halted = False
        self._take_up()

    def _take_up(self) -> None:
        for node, missing in enumerate(list(self._missing)):
            if not missing and node >= len(self.states):  # a group that has no member here
                self._pass_on(node, well=True, cause=node)
            elif not missing:
                self._free(node)
        for step, state in enumerate(list(self.states)):
            if state in ENDED:
                self._pass_on(step, well=state in PASSED, cause=step)
        if StepState.ERROR in self.states:
            self._fail(self.states.index(StepState.ERROR))

    @property
    def is_over(self) -> bool:
        """Whether nothing runs and nothing will begin."""
        return not self._left

    def begin(self) -> list[int]:
        """The steps that begin now, in their order; from here on they count as EXECUTING."""
        begun: list[int] = []
        most = self._limits.at_once or len(self.states)
        while self._open and self._executing < most:
            step = heapq.heappop(self._open)
            server = self._servers[step]
            if self.states[step] is not StepState.PENDING:  # skipped meanwhile; it leaves its place
                self._let_in(server)
                continue
            if self._limits.a_unit_server and self._running[server] >= self._limits.a_unit_server:
                heapq.heappush(self._held.setdefault(server, []), step)
                continue
            self.states[step] = StepState.EXECUTING
            self._running[server] += 1
            self._executing += 1
            begun.append(step)
        return begun

    def end(self, step: int, state: StepState) -> None:
        """A step has ended, or people have skipped one that had not begun. One that ended
        before is left as it is: word of it may come twice."""
        if self.states[step] in ENDED:
            return
        if self.states[step] is StepState.EXECUTING:
            server = self._servers[step]
            self._executing -= 1
            self._running[server] -= 1
            self._let_in(server)
        self.states[step] = state
        self._left -= 1
        self._pass_on(step, well=state in PASSED, cause=step)
        if state is StepState.ERROR:
            self._fail(step)

    def _let_in(self, server: str) -> None:
        """One place at a unit server is free, so one of the steps that it holds up may try."""
        held = self._held.get(server)
        if held:
            heapq.heappush(self._open, heapq.heappop(held))

    def _fail(self, step: int) -> None:
        if self._on_failure is OnFailure.CONTINUE or self._halted:
            return
        self._halted = True
        for other, state in enumerate(self.states):
            if state is StepState.PENDING:
                self._abort(other, cause=step)

    def _abort(self, step: int, *, cause: int) -> None:
        self.states[step] = StepState.ABORTED
        self.aborted[step] = cause
        self._left -= 1

    def _free(self, node: int) -> None:
        if node < len(self.states) and self.states[node] is StepState.PENDING:
            heapq.heappush(self._open, node)

    def _pass_on(self, node: int, *, well: bool, cause: int) -> None:
        """What follows from the end of a step: gates open, steps become free, and what requires
        one that failed is aborted, which is an end as well."""
        count = len(self.states)
        ended = [(node, well, cause)]
        while ended:
            node, well, cause = ended.pop()
            for follower, link in self._ordering.followers[node]:
                self._missing[follower] -= 1
                if not well and link is Link.REQUIRES:
                    self._doomed.setdefault(follower, cause)
                    if follower < count and self.states[follower] is StepState.PENDING:
                        self._abort(follower, cause=cause)
                        ended.append((follower, False, cause))
                if self._missing[follower]:
                    continue
                if follower >= count:
                    doom = self._doomed.get(follower)
                    ended.append((follower, doom is None, cause if doom is None else doom))
                else:
                    self._free(follower)


def way_back(ordering: Ordering, states: Sequence[StepState], told: Iterable[bool]) -> Ordering:
    """The order in which a run is taken back: the steps that had begun, the other way round.

    Args:
        told: of all steps whether they have told their units anything; one that has failed may
            have been refused before.
    """
    begun = {StepState.COMPLETED, StepState.ERROR, StepState.EXECUTING}
    steps = zip(ordering.members, states, told, strict=True)
    members = (each for each, state, is_told in steps if is_told and state in begun)
    return order_of(members, descends=not ordering.descends)
