"""Times as people read them: in the time zone of the process, to the second."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, written out.

    Attributes:
        text: time of day, with the date in front unless it is today's.
        iso: the same in UTC, for `<time datetime>`; the browser counts ages from it.
    """

    text: str
    iso: str


def moment(stamp: Timestamp, *, today: datetime, zone: tzinfo | None = None) -> Moment:
    """Writes a timestamp as people near `today` read it; `zone` defaults to the process's."""
    # A page has thousands of times, and `isoformat` takes a tenth of the time of `strftime`.
    # A time without a zone is one of the process's zone, and is made without asking for its name.
    seconds = stamp.seconds
    date, _, rest = datetime.fromtimestamp(seconds, zone).isoformat().partition("T")
    text = rest[:8] if date == _date_of(today, zone) else f"{date} {rest[:8]}"
    utc = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return Moment(text=text, iso=f"{utc}.{stamp.nanos // 1_000_000:03}Z")


@lru_cache(1)
def _date_of(time: datetime, zone: tzinfo | None) -> str:
    return time.astimezone(zone).date().isoformat()


def time_zone_name(today: datetime, zone: tzinfo | None = None) -> str:
    return today.astimezone(zone).tzname() or "UTC"


def duration_words(seconds: float) -> str:
    """A length of time in its two largest units: `4 s`, `3 min 20 s`, `2 d 4 h`."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])
