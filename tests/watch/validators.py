"""The seven guarantees of a watch, each as a function that looks at what was written down and
says where it does not hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from tests.watch.records import Record, Told, Truth

Validator = Callable[[Record, Truth], Iterator[str]]


def ordered(record: Record, _: Truth) -> Iterator[str]:
    """Events come by revision, and their times grow with it."""
    last: Told | None = None
    for event in record.events:
        if last is not None and event.revision < last.revision:
            yield f"{event.place} was told after {last.place}"
        if last is not None and _moment(event) < _moment(last):
            yield f"{event.place} has an earlier time than {last.place}"
        last = event


def _moment(event: Told) -> str:
    """Its time, so that moments compare as their texts do: a whole second is written without a
    fraction."""
    second, _, fraction = event.time.removesuffix("Z").partition(".")
    return f"{second}.{fraction:0<9}"


def unique(record: Record, _: Truth) -> Iterator[str]:
    """Nothing is told twice, however often the watcher comes back."""
    for place, count in Counter(event.place for event in record.events).items():
        if count > 1:
            yield f"{place} was told {count} times"


def atomic(record: Record, _: Truth) -> Iterator[str]:
    """A revision comes in one message, which leads at least to it."""
    messages: dict[int, set[int]] = defaultdict(set)
    for number, heard in enumerate(record.heard):
        for event in heard.events:
            messages[event.revision].add(number)
            if event.revision > heard.position:
                yield f"{event.place} came with position {heard.position}"
    for revision, numbers in messages.items():
        if len(numbers) > 1:
            yield f"revision {revision} was split over {len(numbers)} messages"


def reliable(record: Record, truth: Truth) -> Iterator[str]:
    """What was acknowledged is in the history, and whom it concerns is told."""
    until = record.position or 0
    happened = {(event.revision, event.name) for event in truth.history}
    told = Counter(event.revision for event in record.events)
    due = Counter(event.revision for event in truth.for_watcher(record.wanted))
    for revision, names in truth.acknowledged.items():
        for name in names:
            if (revision, name) not in happened:
                yield f"{name} was acknowledged at revision {revision} and never happened"
        if record.begin < revision <= until and told[revision] < due[revision]:
            yield f"of revision {revision} {told[revision]} of {due[revision]} events were told"


def resumable(record: Record, truth: Truth) -> Iterator[str]:
    """Each connection goes on where it was asked to, and leaves out nothing from there on."""
    due = truth.for_watcher(record.wanted)
    for number, connection in enumerate(record.connections):
        if not connection.heard:
            continue
        after = connection.heard[0].position if connection.after is None else connection.after
        until = connection.position or 0
        told = {event.place for event in connection.events}
        wanted = {event.place for event in due if after < event.revision <= until}
        for place in sorted(wanted - told):
            yield f"connection {number} after {after} up to {until} left out {place}"
        for place in sorted(told - wanted):
            yield f"connection {number} after {after} up to {until} told {place}"


def bookmarkable(record: Record, truth: Truth) -> Iterator[str]:
    """A position never goes back, nothing up to it is told later, and it comes to the end also
    where nothing passes."""
    reached = record.begin
    for number, connection in enumerate(record.connections):
        if connection.after is not None and connection.after != reached:
            yield f"it was to go on after {connection.after}, and had come to {reached}"
        for place, heard in enumerate(connection.heard):
            for event in heard.events:
                if event.revision <= reached:
                    yield f"{event.place} was told after position {reached}"
            if heard.position < reached:
                where = f"connection {number} after {connection.after}, message {place}"
                yield f"position {heard.position} was told after {reached}: {where}"
            reached = max(reached, heard.position)
    last = max(truth.acknowledged, default=0)
    if reached < last:
        yield f"it has come to {reached} only, of {last}"


def filtered(record: Record, truth: Truth) -> Iterator[str]:
    """What is told passes the filter, and is told as whoever sees only that must see it."""
    due = {event.place: event for event in truth.for_watcher(record.wanted)}
    for event in record.events:
        right = due.get(event.place)
        if right is None:
            yield f"{event.place} does not pass {record.wanted}"
        elif event != right:
            words = [f"{each.action} {each.former_name} {each.content}" for each in (event, right)]
            yield f"{event.place} was told as {words[0]}; right would be {words[1]}"


GUARANTEES: dict[str, Validator] = {
    each.__name__: each
    for each in (ordered, unique, atomic, reliable, resumable, bookmarkable, filtered)
}


def breaches(record: Record, truth: Truth) -> list[str]:
    """Everything that does not hold, each with the guarantee that it breaks."""
    return [
        f"{name}: {what}"
        for name, validate in GUARANTEES.items()
        for what in validate(record, truth)
    ]
