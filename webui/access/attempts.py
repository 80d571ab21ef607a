"""Log-ins that failed make those of the same address wait."""

import time
from collections import OrderedDict
from dataclasses import dataclass

# Who mistypes twice does not notice; from then on each attempt doubles the wait, in s.
FREE = 2
FIRST_SECONDS = 0.5
LONGEST_SECONDS = 8.0
# Who would have to wait longer than this, in s, for others are waiting already, is sent away.
PATIENCE_SECONDS = 10.0
# So many addresses are remembered, for so long, in s.
MOST = 4096
MEMORY_SECONDS = 600.0


class TooMany(Exception):
    """Too many attempts come from one address.

    Attributes:
        seconds: after which one may be made.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(slots=True)
class Row:
    """Attempts of one address, none of which has succeeded.

    Attributes:
        free_at: when the next one may begin, by the steady clock.
    """

    count: int = 0
    free_at: float = 0.0


class Attempts:
    """Counts them by address; each counts as failed until it has succeeded, also among many that
    are made at once."""

    def __init__(self) -> None:
        self._rows: OrderedDict[str, Row] = OrderedDict()

    def begin(self, address: str) -> float:
        """For how many s an attempt has to wait before it is looked at.

        Raises:
            TooMany: it is not to be looked at.
        """
        now = time.monotonic()
        row = self._rows.get(address)
        if row is None or now - row.free_at > MEMORY_SECONDS:
            row = self._rows[address] = Row()
        self._rows.move_to_end(address)
        while len(self._rows) > MOST:
            self._rows.popitem(last=False)
        begin = max(now, row.free_at)
        if begin - now > PATIENCE_SECONDS:
            raise TooMany(begin - now)
        row.count += 1
        row.free_at = begin + _pause(row.count)
        return begin - now

    def succeeded(self, address: str) -> None:
        self._rows.pop(address, None)


def _pause(count: int) -> float:
    if count < FREE:
        return 0.0
    return min(FIRST_SECONDS * 2.0 ** min(count - FREE, 10), LONGEST_SECONDS)
