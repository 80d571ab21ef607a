"""What watchers saw, and what writers got acknowledged, as it is written down while things break."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

Content = dict[str, Any]
OF_NOW = ("contact", "health")
"""What events of statuses tell as it is when they are sent."""
RESOURCE_FIELDS = frozenset(
    {"revision", "time", "kind", "name", "action", "author", "reason", "formerName"}
)


@dataclass(frozen=True, slots=True)
class Told:
    """One event.

    Attributes:
        content: of the resource, as canonical JSON; empty: there was none.
    """

    revision: int
    time: str
    kind: str
    name: str
    action: str
    former_name: str = ""
    content: str = ""

    @property
    def place(self) -> tuple[int, str, str]:
        """Where in history it stands; nothing else stands there."""
        return self.revision, self.kind, self.name

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Told:
        """An event as JSON, from whichever face."""
        found = [dict(value) for key, value in event.items() if key not in RESOURCE_FIELDS]
        for each in found:
            for word in OF_NOW:
                each.pop(word, None)
        return cls(
            revision=int(event["revision"]),
            time=event["time"],
            kind=event["kind"],
            name=event["name"],
            action=event["action"].removeprefix("EVENT_ACTION_"),
            former_name=event.get("formerName", ""),
            content=json.dumps(found[0], sort_keys=True) if found else "",
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """One message.

    Attributes:
        position: revision that it leads to.
    """

    position: int
    events: tuple[Told, ...] = ()

    @classmethod
    def of(cls, message: Message | Mapping[str, Any]) -> Heard:
        plain: Mapping[str, Any] = (
            json_format.MessageToDict(message) if isinstance(message, Message) else message
        )
        events = tuple(map(Told.of, plain.get("events", [])))
        return cls(int(plain["position"].get("revision", 0)), events)


@dataclass(slots=True)
class Connection:
    """One stream, to its end.

    Attributes:
        after: it was asked for what happened after this revision; None: from then on.
        ended: why, in words.
    """

    after: int | None
    heard: list[Heard] = field(default_factory=list)
    ended: str = ""

    @property
    def position(self) -> int | None:
        return self.heard[-1].position if self.heard else self.after

    @property
    def events(self) -> list[Told]:
        return [event for heard in self.heard for event in heard.events]


def anything(_: Content) -> bool:
    return True


@dataclass(frozen=True)
class Wanted:
    """What a watcher asks for.

    Attributes:
        filter: text of the filter language; `holds` says the same of a resource's JSON.
    """

    kinds: frozenset[str] = frozenset()
    prefix: str = ""
    filter: str = ""
    holds: Callable[[Content], bool] = anything

    def passes(self, name: str, content: str) -> bool:
        id = name.partition("/")[2]
        return id.startswith(self.prefix) and self.holds(json.loads(content) if content else {})

    def __str__(self) -> str:
        words = [*sorted(self.kinds), self.prefix, self.filter]
        return " ".join(filter(None, words)) or "everything"


@dataclass(slots=True)
class Record:
    """All that one watcher saw, in all its connections."""

    wanted: Wanted
    connections: list[Connection] = field(default_factory=list)

    @property
    def begin(self) -> int:
        """After which revision it has watched."""
        first = self.connections[0]
        return first.after if first.after is not None else first.heard[0].position

    @property
    def position(self) -> int | None:
        """Up to where it says it has been told everything."""
        known = [each.position for each in self.connections if each.position is not None]
        return known[-1] if known else None

    @property
    def heard(self) -> list[Heard]:
        return [heard for connection in self.connections for heard in connection.heard]

    @property
    def events(self) -> list[Told]:
        return [event for heard in self.heard for event in heard.events]


@dataclass(frozen=True, slots=True)
class Truth:
    """What happened.

    Attributes:
        history: everything from the very beginning, read once, in peace.
        acknowledged: names by revision, as writers were answered.
    """

    history: tuple[Told, ...]
    acknowledged: Mapping[int, frozenset[str]]

    def for_watcher(self, wanted: Wanted) -> list[Told]:
        """What a watcher that has always been there should have been told."""
        return list(seen(wanted, self.history))


def seen(wanted: Wanted, history: Iterable[Told]) -> Iterable[Told]:
    """What passes of all that happened: the rule of filters, written a second time."""
    contents: dict[str, str] = {}
    for event in history:
        before_name = event.former_name or event.name
        before = contents.get(before_name)
        if event.action == "DELETED":
            contents.pop(event.name, None)
        else:
            contents.pop(before_name, None)
            contents[event.name] = event.content
        if wanted.kinds and event.kind not in wanted.kinds:
            continue
        # Statuses are never CREATED: each unit has one from its beginning.
        passed = event.action != "CREATED" and wanted.passes(before_name, before or "")
        if event.action == "DELETED":
            if passed:
                yield event
            continue
        passes = wanted.passes(event.name, event.content)
        if passes and (passed or event.action == "CREATED"):
            yield event
        elif passes:
            yield told_as(event, "CREATED")
        elif passed:
            yield told_as(event, "LEFT", before_name)


def told_as(event: Told, action: str, name: str = "") -> Told:
    """An event as those are told it whose filter a resource comes to pass, or passes no more."""
    has_left = action == "LEFT"
    return Told(
        revision=event.revision,
        time=event.time,
        kind=event.kind,
        name=name or event.name,
        action=action,
        former_name="" if has_left else event.former_name,
        content="" if has_left else event.content,
    )
