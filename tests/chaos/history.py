"""What clients asked and what they were answered, one record a line, while faults are injected.

All times are s of this machine's monotonic clock, which its processes share.
"""

import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from tests.watch.records import Told

R = TypeVar("R", bound="Record")
HISTORY_IS_GONE = ("HISTORY_RESET", "HISTORY_TRIMMED")
"""Why a stream ends whose client cannot go on from where it was."""
LEFT = "it left by itself"
"""Why a stream ends that was wanted no more."""


class Outcome(StrEnum):
    """What became of a call, as far as its caller can tell."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """No answer, or one that says that nobody knows: it may be done, now or later."""


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a client saw.

    Attributes:
        client: who saw it.
    """

    client: str


class Read(Record, frozen=True, kw_only=True, tag="read"):
    """A read of one resource.

    Attributes:
        revision: of its last change; 0: it is not there.
        reason: why it was refused, or not answered.
    """

    resource: str
    began: float
    ended: float
    outcome: Outcome
    value: str = ""
    etag: str = ""
    revision: int = 0
    reason: str = ""


class Write(Record, frozen=True, kw_only=True, tag="write"):
    """A write of a value that nobody else ever writes.

    Attributes:
        etag_asked: that it was sent with: `*`, or what was read.
        etag: answered.
        revision: answered.
    """

    resource: str
    request_id: str
    value: str
    etag_asked: str
    began: float
    ended: float
    outcome: Outcome
    etag: str = ""
    revision: int = 0
    reason: str = ""


class Bundle(Record, frozen=True, kw_only=True, tag="bundle"):
    """A write of many resources that is done wholly or not at all.

    Attributes:
        values: by resource.
    """

    request_id: str
    values: dict[str, str]
    began: float
    ended: float
    outcome: Outcome
    revision: int = 0
    reason: str = ""


class Opened(Record, frozen=True, kw_only=True, tag="opened"):
    """A watch was asked for.

    Attributes:
        kinds: that it is about; none: all.
        prefix: that ids of what it is about have.
        after: revision from which it goes on; -1: from now.
        epoch: of that revision.
    """

    at: float
    kinds: tuple[str, ...] = ()
    prefix: str = ""
    after: int = -1
    epoch: int = 0
    address: str = ""


class Word(Record, frozen=True, kw_only=True, tag="word"):
    """A watch said something; without events it is a bookmark.

    Attributes:
        revision: from which the watch may be resumed.
    """

    at: float
    revision: int
    epoch: int = 0
    events: tuple[Told, ...] = ()


class Closed(Record, frozen=True, kw_only=True, tag="closed"):
    """A watch has ended.

    Attributes:
        reason: why: a reason of the contract, or what the transport says.
    """

    at: float
    reason: str


class Granted(Record, frozen=True, kw_only=True, tag="granted"):
    """A contender was told that it holds a unit server.

    Attributes:
        fence: revision at which it was told so.
        lease_s: for so long it believes it without further word.
        took_over: it had asked to end whoever holds it.
    """

    unit_server: str
    session: str
    fence: int
    began: float
    ended: float
    lease_s: float
    took_over: bool = False


class Beat(Record, frozen=True, kw_only=True, tag="beat"):
    """A contender was told that its lease goes on.

    Attributes:
        at: from when it counts: it sent the heartbeat then that was answered.
    """

    unit_server: str
    session: str
    at: float
    lease_s: float


class Reported(Record, frozen=True, kw_only=True, tag="reported"):
    """A report of a holder was acknowledged: a write under its fence.

    Attributes:
        began: when it was sent.
        ended: when it was acknowledged.
    """

    unit_server: str
    session: str
    sequence: int
    began: float
    ended: float


class Lost(Record, frozen=True, kw_only=True, tag="lost"):
    """A contender knows that it is no holder any more."""

    unit_server: str
    session: str
    at: float
    reason: str


class Ordered(Record, frozen=True, kw_only=True, tag="ordered"):
    """An order to units.

    Attributes:
        operation: its name; empty: not known.
        plan: level of each unit that it is about, by name.
    """

    operation: str
    request_id: str
    verb: str
    plan: dict[str, int]
    began: float
    ended: float
    outcome: Outcome
    reason: str = ""


class Done(Record, frozen=True, kw_only=True, tag="done"):
    """A process did something to a unit, by its own word.

    Attributes:
        what: `starts`, `started`, `stops` or `stopped`.
        process: that did it.
    """

    unit: str
    what: str
    process: int
    at: float


AnyRecord = (
    Read
    | Write
    | Bundle
    | Opened
    | Word
    | Closed
    | Granted
    | Beat
    | Reported
    | Lost
    | Ordered
    | Done
)
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(AnyRecord)


class Recorder:
    """Appends records to a file; several processes may have a recorder of one file each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def now() -> float:
        return time.monotonic()

    def record(self, record: AnyRecord) -> None:
        self._file.write(_ENCODER.encode(record) + b"\n")

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class History:
    """All records of a round, of one kind at a time, in the order in which they were made."""

    def __init__(self, records: Iterable[AnyRecord]) -> None:
        self._by_type: dict[type, list[AnyRecord]] = {}
        for each in records:
            self._by_type.setdefault(type(each), []).append(each)

    def of(self, kind: type[R]) -> list[R]:
        found = self._by_type.get(kind, [])
        return [each for each in found if isinstance(each, kind)]

    def __len__(self) -> int:
        return sum(map(len, self._by_type.values()))


def read_history(*paths: Path) -> History:
    """The history in some files. A last line that a killed process left unfinished is none."""
    return History([each for path in paths for each in _records(path)])


def _records(path: Path) -> Iterator[AnyRecord]:
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield _DECODER.decode(line)
