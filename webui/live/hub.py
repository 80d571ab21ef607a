"""Hands the newest picture and pulse to every browser, at each one's own speed.

Nothing is queued: a browser keeps only the number of the picture it has. When it is ready it
gets the difference to the newest one; what lay between is skipped. So a slow browser costs no
memory and delays nobody. Differences are worked out and encoded once for all browsers that
stand at the same picture.
"""

import asyncio
import json
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from webui.live.message import Message
from webui.live.picture import EMPTY, Picture, patch
from webui.live.pulse import Heartbeats, Pulse, Shown

# Pictures that a browser may come back from with a difference rather than with everything.
KEPT_PICTURES = 32
# Encoded differences in memory; one for each picture that browsers stand at is plenty.
KEPT_PATCHES = 8


class HubFull(Exception):
    """As many browsers listen as are allowed."""


@dataclass(slots=True, eq=False)
class Viewer:
    """One browser that listens.

    Attributes:
        picture: number of the picture it has; None: none that we know.
        shown: ids of unit servers whose heartbeats its page shows; None: of all.
        pulse: number of the pulse that it was last sent.
    """

    picture: int | None
    shown: Shown = frozenset()
    pulse: int = 0
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """The newest picture, the newest pulse, and who listens."""

    def __init__(self, *, most_viewers: int) -> None:
        # Tells pictures of this process from those of an earlier one with the same number.
        self._run = secrets.token_hex(4)
        self._most_viewers = most_viewers
        self._viewers: set[Viewer] = set()
        self._pictures: OrderedDict[int, Picture] = OrderedDict({0: EMPTY})
        self._patches: OrderedDict[tuple[int | None, int], Message] = OrderedDict()
        self._picture = EMPTY
        self._heartbeats = Heartbeats()
        self._closed = False

    @property
    def picture(self) -> Picture:
        return self._picture

    @property
    def clock(self) -> str:
        """The time of the newest pulse, for people; empty: there was none yet."""
        return self._heartbeats.clock

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def picture_id(self, picture: Picture) -> str:
        return f"{self._run}-{picture.number}"

    def show(
        self,
        *,
        link: str,
        pieces: Mapping[str, str],
        lists: Mapping[str, tuple[str, ...]],
        touched: frozenset[str] | None = frozenset(),
    ) -> None:
        """Makes a picture the newest one, unless it is the same as the last."""
        last = self._picture
        same = (last.link, last.pieces, last.lists) == (link, pieces, lists)
        if same and touched == frozenset():
            return
        self._picture = Picture(last.number + 1, link, pieces, lists, touched)
        self._pictures[self._picture.number] = self._picture
        while len(self._pictures) > KEPT_PICTURES:
            self._pictures.popitem(last=False)
        self._wake()

    def beat(self, pulse: Pulse) -> None:
        """Makes a pulse the newest one."""
        self._heartbeats.take(pulse)
        self._wake()

    def close(self) -> None:
        """Ends all viewers, and lets no new one in."""
        self._closed = True
        self._wake()

    @contextmanager
    def viewer(self, picture_id: str, shown: Shown = frozenset()) -> Iterator[Viewer]:
        """Lets a browser listen, from the picture that it has.

        Args:
            shown: ids of unit servers whose heartbeats its page shows; None: of all.

        Raises:
            HubFull: too many listen already.
        """
        if len(self._viewers) >= self._most_viewers:
            raise HubFull
        viewer = Viewer(self._number_of(picture_id), shown)
        viewer.woken.set()
        self._viewers.add(viewer)
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)

    async def next(self, viewer: Viewer) -> list[Message]:
        """Waits until there is news for a viewer, and takes it; empty: the hub has closed."""
        while not self._closed:
            await viewer.woken.wait()
            viewer.woken.clear()
            if messages := self._news(viewer):
                return messages
        return []

    def _news(self, viewer: Viewer) -> list[Message]:
        messages: list[Message] = []
        if viewer.picture != self._picture.number:
            messages.append(self._patch_from(viewer.picture))
            viewer.picture = self._picture.number
        if viewer.pulse != self._heartbeats.number:
            messages.append(self._heartbeats.since(viewer.pulse, viewer.shown))
            viewer.pulse = self._heartbeats.number
        return messages

    def _patch_from(self, number: int | None) -> Message:
        key = (number, self._picture.number)
        if key not in self._patches:
            old = self._pictures.get(number) if number is not None else None
            difference = patch(old, self._picture, touched=self._touched_since(old))
            data = json.dumps(difference.as_data(), separators=(",", ":"), ensure_ascii=False)
            self._patches[key] = Message("picture", data, self.picture_id(self._picture))
            while len(self._patches) > KEPT_PATCHES:
                self._patches.popitem(last=False)
        return self._patches[key]

    def _touched_since(self, old: Picture | None) -> frozenset[str] | None:
        if old is None:
            return None
        names: set[str] = set()
        for number in range(old.number + 1, self._picture.number + 1):
            touched = self._pictures[number].touched
            if touched is None:
                return None
            names |= touched
        return frozenset(names)

    def _number_of(self, picture_id: str) -> int | None:
        run, _, number = picture_id.partition("-")
        if run != self._run or not number.isdecimal():
            return None
        return int(number) if int(number) in self._pictures else None

    def _wake(self) -> None:
        for viewer in self._viewers:
            viewer.woken.set()
