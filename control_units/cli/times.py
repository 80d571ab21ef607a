"""Times as people say and read them."""

import re
from datetime import UTC, datetime, timedelta

import click
from google.protobuf.timestamp_pb2 import Timestamp

_AGO = re.compile(r"(\d{1,6})(s|m|h|d|w)\Z", re.ASCII)
_MOST_S = 1e9
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class AsOf(click.ParamType[str]):
    """A moment of the past, in the words of the protocol: a revision (`120`), a time as `Moment`
    takes it, or nothing, which is `now`."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        if text in {"", "now"}:
            return ""
        if text.isascii() and text.isdigit():
            return text
        return Moment().convert(text, param, ctx).isoformat()


class Moment(click.ParamType[datetime]):
    """A time: `2024-05-31`, `2024-05-31T12:00:00+02:00`, or how long ago: `90m`, `36h`, `30d`.
    Without a zone it is local."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            if (ago := _span_in(text)) is not None:
                return datetime.now(UTC) - ago
            found = datetime.fromisoformat(text)
            return found if found.tzinfo else found.astimezone()
        except (ValueError, OverflowError):  # before the first year, or after the last
            self.fail(
                f"{text!r} is no time; right would be 2024-05-31, '2024-05-31 12:00' or 30d.",
                param,
                ctx,
            )


class Ahead(click.ParamType[datetime]):
    """A time to come: in how long (`90m`, `36h`), or as `Moment` takes a date."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            if (ahead := _span_in(text)) is not None:
                return datetime.now(UTC) + ahead
        except OverflowError:  # after the last year
            self.fail(f"{text!r} is too far ahead; right would be 36h or 30d.", param, ctx)
        found = Moment().convert(value, param, ctx)
        if found <= datetime.now(UTC):
            self.fail(f"{text!r} is over; right would be a time to come.", param, ctx)
        return found


class Span(click.ParamType[timedelta]):
    """How long: `90s`, `2m`, `1h`, or a number of seconds."""

    name = "span"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        text = str(value)
        try:
            found = _span_in(text)
            seconds = float(text) if found is None else found.total_seconds()
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < _MOST_S:
            self.fail(f"{text!r} is no span; right would be 90s, 2m, 1h or 0.5.", param, ctx)
        return timedelta(seconds=seconds)


def _span_in(text: str) -> timedelta | None:
    """`90m`, `36h`, `30d`; None: it is nothing like it."""
    found = _AGO.match(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def shown(time: Timestamp) -> str:
    """Local, to the second; empty where there is none."""
    if not (time.seconds or time.nanos):
        return ""
    return time.ToDatetime(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(start: Timestamp, end: Timestamp) -> str:
    """How long, in the two largest units that say something: `3 d 4 h`."""
    seconds = max(0, int((end.ToDatetime(UTC) - start.ToDatetime(UTC)).total_seconds()))
    sizes = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in sizes:
        count, seconds = divmod(seconds, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
