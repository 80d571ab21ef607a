"""What ticks once a second: the clock, and how old the last heartbeat of each unit server is.

Ages grow by themselves, so a browser is told only of those whose unit server was heard since the
last pulse that it got, and only of those that its page shows.
"""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from webui.live.message import Message

# A browser that has missed more pulses than this is told of all heartbeats anew.
KEPT_PULSES = 60
ALL = None
"""All unit servers, where a browser says which of them its page shows."""
Shown = AbstractSet[str] | None


@dataclass(frozen=True, slots=True)
class Pulse:
    """One tick.

    Attributes:
        time_us: by the server's clock.
        clock: that time, for people.
        heard_us: unit servers with an open session, by id, and when they last gave word.
    """

    time_us: int
    clock: str
    heard_us: Mapping[str, int]


class Heartbeats:
    """The newest pulse, and since which one each heartbeat is known."""

    def __init__(self) -> None:
        self.number = 0
        self._pulse = Pulse(0, "", {})
        # By id the number of the pulse that brought what is known of it, also that it is gone.
        self._since: dict[str, int] = {}
        self._for_all: dict[int, Message] = {}

    @property
    def clock(self) -> str:
        return self._pulse.clock

    def take(self, pulse: Pulse) -> None:
        """Makes a pulse the newest one."""
        before, now = self._pulse.heard_us, pulse.heard_us
        self.number += 1
        news = (id for id in before.keys() | now.keys() if before.get(id) != now.get(id))
        self._since.update(dict.fromkeys(news, self.number))
        forgotten = self.number - KEPT_PULSES
        for id in self._since.keys() - now.keys():
            if self._since[id] <= forgotten:
                del self._since[id]
        self._pulse = pulse
        self._for_all.clear()

    def since(self, number: int, shown: Shown) -> Message:
        """The newest pulse, for a browser that has one of an earlier number; 0: it has none."""
        if shown is not ALL:
            return self._message(number, shown & self._since.keys())
        if number not in self._for_all:
            self._for_all[number] = self._message(number, self._since.keys())
        return self._for_all[number]

    def _message(self, number: int, shown: AbstractSet[str]) -> Message:
        now = self._pulse
        data: dict[str, object] = {"time": now.time_us // 1000, "clock": now.clock}
        is_whole = number == 0 or number < self.number - KEPT_PULSES
        ages: dict[str, int | None] = {}
        for id in shown:
            if not is_whole and self._since[id] <= number:
                continue
            if id in now.heard_us:
                ages[id] = max(0, now.time_us - now.heard_us[id]) // 1_000_000
            elif not is_whole:
                ages[id] = None
        if is_whole:
            data["whole"] = True
        if ages:
            data["ages"] = ages
        return Message("pulse", json.dumps(data, separators=(",", ":")))
