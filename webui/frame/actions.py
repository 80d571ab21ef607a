"""What the palette can do, besides going to what is called so."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from webui.names import id_of, page_of
from webui.translation import _, gettext_noop

Allows = Callable[[str], bool]
"""Whether whoever asks may make a call: `Operations.CreateOperation`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something to do.

    Attributes:
        word: what it is called; the first word that is typed may be its beginning.
        call: of the protocol, that it leads to; empty: everybody may.
        page: where it begins. Of an action on a thing: the address for its name.
    """

    word: str
    call: str = ""
    page: Callable[[str], str]
    changes: bool = True


def _always(page: str) -> Callable[[str], str]:
    return lambda _: page


def _order(verb: str) -> Callable[[str], str]:
    return lambda name: f"/operations/new?{urlencode({'verb': verb, 'id': id_of(name)})}"


def _launch(how: str) -> Callable[[str], str]:
    return lambda name: f"/launches/new?{urlencode({'how': how, 'unit_server': id_of(name)})}"


def _behind(word: str) -> Callable[[str], str]:
    return lambda name: f"{page_of(name)}/{word}"


_ORDER, _LAUNCH = "Operations.CreateOperation", "UnitServers.StartUnitServer"
_MAINTENANCE = "Maintenances.CreateMaintenance"

ANYWHERE = (
    Action(word=gettext_noop("New order"), call=_ORDER, page=_always("/operations/new")),
    Action(word=gettext_noop("New control unit"), call="ControlUnits.CreateControlUnit", page=_always("/control_units/new")),
    Action(word=gettext_noop("New unit server"), call="UnitServers.CreateUnitServer", page=_always("/unit_servers/new")),
    Action(word=gettext_noop("New template"), call="Templates.CreateTemplate", page=_always("/templates/new")),
    Action(word=gettext_noop("Import"), call="Bundles.Apply", page=_always("/import")),
    Action(word=gettext_noop("Take a snapshot"), call="LiveValues.TakeSnapshot", page=_always("/snapshots/new")),
    Action(word=gettext_noop("Begin a maintenance"), call=_MAINTENANCE, page=_always("/maintenances/new")),
    Action(word=gettext_noop("Tokens"), call="Tokens.ListTokens", page=_always("/tokens"), changes=False),
    Action(word=gettext_noop("Wall"), page=_always("/?wall"), changes=False),
)  # fmt: skip

OF_THINGS = {
    "control_units": (
        Action(word=gettext_noop("Start"), call=_ORDER, page=_order("start")),
        Action(word=gettext_noop("Stop"), call=_ORDER, page=_order("stop")),
        Action(word=gettext_noop("Init"), call=_ORDER, page=_order("init")),
        Action(word=gettext_noop("Deinit"), call=_ORDER, page=_order("deinit")),
        Action(word=gettext_noop("Load"), call=_ORDER, page=_order("load")),
        Action(word=gettext_noop("Unload"), call=_ORDER, page=_order("unload")),
        Action(word=gettext_noop("Recover"), call=_ORDER, page=_order("recover")),
        Action(word=gettext_noop("Edit"), call="ControlUnits.UpdateControlUnit", page=_behind("edit")),
        Action(word=gettext_noop("Maintenance"), call=_MAINTENANCE, page=lambda name: f"/maintenances/new?{urlencode({'id': id_of(name)})}"),
        Action(word=gettext_noop("History"), page=_behind("history"), changes=False),
    ),
    "unit_servers": (
        Action(word=gettext_noop("Start"), call=_LAUNCH, page=_launch("start")),
        Action(word=gettext_noop("Stop"), call=_LAUNCH, page=_launch("stop")),
        Action(word=gettext_noop("Restart"), call=_LAUNCH, page=_launch("restart")),
        Action(word=gettext_noop("Log"), call="AgentReports.ReadUnitServerLog", page=_behind("log")),
        Action(word=gettext_noop("Maintenance"), call=_MAINTENANCE, page=lambda name: f"/maintenances/new?{urlencode({'unit_server': id_of(name)})}"),
        Action(word=gettext_noop("History"), page=_behind("history"), changes=False),
    ),
    "templates": (
        Action(word=gettext_noop("Edit"), call="Templates.UpdateTemplate", page=_behind("edit")),
        Action(word=gettext_noop("History"), page=_behind("history"), changes=False),
    ),
    "agents": (Action(word=gettext_noop("History"), page=_behind("history"), changes=False),),
    "operations": (),
}  # fmt: skip
"""By the collection of what is found."""


def begun_by(q: str) -> tuple[str, str]:
    """The word that an action on something may begin with, and what it is about: `stop Q1`."""
    word, _blank, rest = q.partition(" ")
    word = word.casefold()
    known = {_(action.word).casefold() for some in OF_THINGS.values() for action in some}
    is_known = len(word) > 1 and any(each.startswith(word) for each in known)
    return (word, rest.strip()) if is_known and rest.strip() else ("", q)


def actions_on(name: str, word: str, allows: Allows, *, is_past: bool) -> Iterable[Action]:
    """What can be done with something, of what begins so."""
    for action in OF_THINGS.get(name.partition("/")[0], ()):
        if _(action.word).casefold().startswith(word) and may(action, allows, is_past=is_past):
            yield action


def actions_called(q: str, allows: Allows, *, is_past: bool) -> Iterable[Action]:
    """What can be done anywhere, and is called so."""
    for action in ANYWHERE:
        if q.casefold() in _(action.word).casefold() and may(action, allows, is_past=is_past):
            yield action


def may(action: Action, allows: Allows, *, is_past: bool) -> bool:
    if is_past and action.changes:
        return False
    return not action.call or allows(action.call)


_TIME = re.compile(r"(?:(?P<date>\d{4}-\d\d-\d\d)(?:[T ]+|$))?(?P<time>\d{1,2}:\d\d(?::\d\d)?)?$")


def time_in(q: str, today: str) -> str:
    """The moment that somebody types, as a field of dates and times has it: `08:30` is today's;
    empty: it is none.

    Args:
        today: `2026-11-22`.
    """
    found = _TIME.match(q.strip())
    if found is None or not (found["date"] or found["time"]):
        return ""
    return f"{found['date'] or today}T{(found['time'] or '00:00').zfill(5)}"
