"""The times of liveness, worked out once from two settings."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_SWEEP_PERIOD_US = 1_000_000
NEVER_SUSPECT_US = 2**62
"""Where nobody asks who is SUSPECT."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things last, in microseconds.

    Attributes:
        lease_us: how long a session counts as alive without word.
        heartbeat_us: how often word is expected.
    """

    lease_us: int
    heartbeat_us: int

    @property
    def sweep_us(self) -> int:
        """How often the leases are looked over."""
        return min(LONGEST_SWEEP_PERIOD_US, self.heartbeat_us // 2)

    @property
    def tolerance_us(self) -> int:
        """A longer gap between sweeps makes the observer blind: one heartbeat, and a sweep."""
        return self.heartbeat_us + self.sweep_us

    @property
    def suspect_us(self) -> int:
        """A session that was last heard longer ago has missed two beats; a part of a beat is
        the way of the third."""
        return self.heartbeat_us * 9 // 4

    @property
    def grace_us(self) -> int:
        """How long a unit may take to apply what people have changed, before that is news."""
        return self.heartbeat_us * 2

    @property
    def renewal_s(self) -> float:
        """How long beats are collected before they are written together, in seconds."""
        return min(0.5, self.heartbeat_us / 10 / 1_000_000)
