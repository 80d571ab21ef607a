"""When the signs of life were sent that renewals of the lease answer."""

from __future__ import annotations

import time


class SignsOfLife:
    """Those of one stream: its hello and its heartbeats.

    A lease is counted from when its sign of life was sent. When the answer is read says nothing:
    it may have lain in a buffer, while the process or the network stood still, until the lease
    was somebody else's.
    """

    def __init__(self) -> None:
        self._oldest: float | None = None

    def send(self) -> int:
        """What goes with one that is sent now, as its `sent_us`."""
        now = time.monotonic()
        if self._oldest is None:
            self._oldest = now
        return int(now * 1_000_000)

    def answered(self, lease_from_us: int) -> float | None:
        """When the one was sent that a renewal answers, by the steady clock, s.

        A server that does not say answers at least the oldest that was sent since the last
        renewal; None where none was, for then it answers an earlier one.
        """
        oldest, self._oldest = self._oldest, None
        return lease_from_us / 1_000_000 if lease_from_us else oldest
