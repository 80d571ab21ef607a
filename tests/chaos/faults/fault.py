"""What all faults have in common."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from tests.chaos.stage import ClusterStage


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, as often as wanted.

    Attributes:
        name: in tables and on the command line.
        put_in: it is in from entry to exit; then all is healed, as far as that needs a hand.
        hold_s: for so long it stays in.
        missing: what keeps it from being put in here; empty: nothing.
        needs_clock: one replica has to run with a clock that can be set.
        kills: a process ends by it.
        breaks: something is out of order while it is in.
    """

    name: str
    put_in: Callable[[ClusterStage], AbstractAsyncContextManager[None]]
    hold_s: float = 8.0
    missing: str = ""
    needs_clock: bool = False
    kills: bool = False
    breaks: bool = True
