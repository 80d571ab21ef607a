"""How far a long call is: written by a thread of the store, read by the call's stream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ApplyProgress:
    """Items checked and written so far; begins anew when a transaction runs again."""

    checked: int = 0
    written: int = 0

    def restart(self) -> None:
        self.checked = self.written = 0

    def wrote(self, count: int) -> None:
        self.written += count
