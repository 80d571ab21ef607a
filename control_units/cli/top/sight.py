"""What the screen shows, and what people have made of it."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from mds.v1.operation_pb2 import Operation
from mds.v1.overview_pb2 import GetOverviewResponse

SORTS = ("worst first", "name", "size")
"""How zones and unit servers may be sorted; a server sends them worst first."""
_WINDOW_S = 10.0


@dataclass(slots=True)
class Rate:
    """How many events come in a second, over the last ten."""

    _counts: deque[tuple[float, int]] = field(default_factory=deque)
    _since: float = field(default_factory=time.monotonic)

    def add(self, count: int) -> None:
        self._counts.append((time.monotonic(), count))

    def per_second(self) -> float:
        now = time.monotonic()
        while self._counts and self._counts[0][0] < now - _WINDOW_S:
            self._counts.popleft()
        seconds = min(_WINDOW_S, max(1.0, now - self._since))
        return sum(count for _, count in self._counts) / seconds


@dataclass(slots=True)
class Sight:
    """The last look at a facility.

    Attributes:
        overview: None: no server has answered yet.
        operations: that have not ended, newest first.
        failure: why there is no newer look; empty: it is of now.
        address: of the server that was asked.
        sort: place in SORTS.
        filter: only what has this text in its name.
        typing: what is being typed for the filter; None: nothing is.
    """

    overview: GetOverviewResponse | None = None
    operations: Sequence[Operation] = ()
    rate: Rate = field(default_factory=Rate)
    failure: str = ""
    address: str = ""
    sort: int = 0
    filter: str = ""
    typing: str | None = None
    has_help: bool = False

    def press(self, key: str) -> bool:
        """Does what a key means; whether that is to end."""
        if self.typing is not None:
            self._type(key)
        elif key in {"q", "Q", "\x03", "\x04"}:
            return True
        elif key == "s":
            self.sort = (self.sort + 1) % len(SORTS)
        elif key in {"/", "f"}:
            self.typing = self.filter
        elif key == "\x1b":
            self.filter, self.has_help = "", False
        elif key in {"h", "?"}:
            self.has_help = not self.has_help
        return False

    def _type(self, key: str) -> None:
        assert self.typing is not None
        if key in {"\r", "\n"}:
            self.filter, self.typing = self.typing, None
        elif key in {"\x1b", "\x03"}:
            self.typing = None
        elif key in {"\x7f", "\b"}:
            self.typing = self.typing[:-1]
        elif key.isprintable():
            self.typing += key

    def passes(self, *texts: str) -> bool:
        """Whether any of these has what people look for; as it is being typed, too."""
        wanted = (self.filter if self.typing is None else self.typing).lower()
        return any(wanted in text.lower() for text in texts)
