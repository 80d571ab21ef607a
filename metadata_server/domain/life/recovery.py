"""How a unit server deals with a unit of its that fails or hangs."""

from __future__ import annotations

from typing import NamedTuple


class Recovery(NamedTuple):
    """What is done, without people, to get a unit to where they want it.

    Attributes:
        attempts: made since people last said something, or the unit was last well for long.
        next_attempt_us: when the next one is due; in a status by the database's clock, in a
            report by the server's steady one; 0: none is.
        hanging_hook: that has not returned for long; empty: none.
    """

    attempts: int = 0
    next_attempt_us: int = 0
    hanging_hook: str = ""

    @property
    def is_first_to_come(self) -> bool:
        """Whether the first attempt is still to be made: it comes within seconds, and often does;
        the later ones take minutes."""
        return self.next_attempt_us > 0 and self.attempts == 0


NO_RECOVERY = Recovery()
"""Of a unit that needs none: of nearly all, nearly always."""

MAXIMUM_HOOK = 64
"""Characters of the name of a hook."""
