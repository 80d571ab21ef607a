"""How long to wait before the next try."""

import random


class Backoff:
    """Exponential back-off with full jitter: many clients that lost one server at the same
    moment come back spread over time.

    Attributes:
        first: longest possible wait before the second try, in s.
        longest: longest possible wait ever, in s.
    """

    def __init__(self, *, first: float, longest: float) -> None:
        self.first = first
        self.longest = longest
        self._failures = 0

    def next(self, *, at_least: float = 0.0) -> float:
        """Seconds to wait now; each call stands for one more failure.

        Args:
            at_least: what the server asked for; the jitter comes on top, as long as that may be,
                so that all who were told the same delay do not come back together.
        """
        ceiling = min(self.longest, self.first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return at_least + random.uniform(0.0, max(ceiling, min(at_least, self.longest)))

    def reset(self) -> None:
        """It worked: the next failure starts from the beginning."""
        self._failures = 0
