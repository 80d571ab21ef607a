"""The page's words for what the contract numbers: a glyph, a word and a tone for each.

A glyph and a word always stand together, so that nothing is told by colour alone. A value
that a newer server may send is shown as unknown, with its number, rather than refused.
States keep the protocol's names in every language: people type them into filters.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mds.v1 import dataset_pb2, state_pb2, template_pb2, unit_server_pb2

from webui.translation import _, gettext_noop


@dataclass(frozen=True, slots=True)
class Mark:
    """How one value is shown.

    Attributes:
        english: its word, marked by `gettext_noop` unless it is the same in every language.
        glyph: symbol in `templates/glyphs.svg`; each has a shape of its own.
        tone: CSS class that may colour it; `quiet` never does.
    """

    english: str
    glyph: str
    tone: str = "quiet"

    @property
    def word(self) -> str:
        """In the language of the pages."""
        return _(self.english)


HEALTH: Mapping[int, Mark] = {
    state_pb2.HEALTH_GOOD: Mark(gettext_noop("Good"), "good", "good"),
    state_pb2.HEALTH_CHANGING: Mark(gettext_noop("Changing"), "changing", "changing"),
    state_pb2.HEALTH_UNKNOWN: Mark(gettext_noop("Unknown"), "unknown", "unknown"),
    state_pb2.HEALTH_WARNING: Mark(gettext_noop("Warning"), "warning", "warning"),
    state_pb2.HEALTH_BAD: Mark(gettext_noop("Bad"), "bad", "bad"),
}

STATE: Mapping[int, Mark] = {
    state_pb2.STATE_UNSPECIFIED: Mark(gettext_noop("Never reported"), "none"),
    state_pb2.STATE_UNLOADED: Mark(gettext_noop("Unloaded"), "unloaded"),
    state_pb2.STATE_LOADED: Mark(gettext_noop("Loaded"), "loaded"),
    state_pb2.STATE_INITIALIZED: Mark(gettext_noop("Initialized"), "initialized"),
    state_pb2.STATE_RUNNING: Mark(gettext_noop("Running"), "running"),
    state_pb2.STATE_STOPPED: Mark(gettext_noop("Stopped"), "stopped"),
    state_pb2.STATE_RECOVERABLE_ERROR: Mark(gettext_noop("Recoverable error"), "bad", "bad"),
    state_pb2.STATE_FATAL_ERROR: Mark(gettext_noop("Fatal error"), "fatal", "bad"),
}

CONTACT: Mapping[int, Mark] = {
    state_pb2.CONTACT_ALIVE: Mark(gettext_noop("Alive"), "alive"),
    state_pb2.CONTACT_SUSPECT: Mark(gettext_noop("Suspect"), "warning", "warning"),
    state_pb2.CONTACT_LOST: Mark(gettext_noop("Lost"), "lost", "bad"),
    state_pb2.CONTACT_UNKNOWN: Mark(gettext_noop("Unknown"), "unknown", "unknown"),
    state_pb2.CONTACT_NONE: Mark(gettext_noop("No session"), "none"),
}

END_REASON: Mapping[int, str] = {
    unit_server_pb2.END_REASON_GOOD_BYE: gettext_noop("said good-bye"),
    unit_server_pb2.END_REASON_LEASE_ENDED: gettext_noop("lease ran out"),
    unit_server_pb2.END_REASON_SUPERSEDED: gettext_noop("a new run registered"),
    unit_server_pb2.END_REASON_TAKEN_OVER: gettext_noop("taken over by another process"),
    unit_server_pb2.END_REASON_REMOVED: gettext_noop("deleted or moved elsewhere"),
}

DIRECTION: Mapping[int, str] = {
    dataset_pb2.DIRECTION_INPUT: gettext_noop("input"),
    dataset_pb2.DIRECTION_OUTPUT: gettext_noop("output"),
    dataset_pb2.DIRECTION_BIDIRECTIONAL: gettext_noop("bidirectional"),
}

CONDITIONS = (
    gettext_noop("Config drift"),
    gettext_noop("Dataset contradicts template"),
    gettext_noop("In maintenance"),
    gettext_noop("Keeps dying"),
    gettext_noop("Not converging"),
    gettext_noop("Out of date"),
)
"""Those that there are today; one of a newer server is shown by its English name."""

VERSION_STATE: Mapping[int, str] = {
    template_pb2.VERSION_STATE_DRAFT: gettext_noop("draft"),
    template_pb2.VERSION_STATE_PUBLISHED: gettext_noop("published"),
    template_pb2.VERSION_STATE_DEPRECATED: gettext_noop("deprecated"),
}

FACETS = (
    gettext_noop("conversion factor"),
    gettext_noop("default value"),
    gettext_noop("description"),
    gettext_noop("direction"),
    gettext_noop("error threshold"),
    gettext_noop("increment"),
    gettext_noop("init parameter"),
    gettext_noop("maximum"),
    gettext_noop("maximum size bytes"),
    gettext_noop("mime type"),
    gettext_noop("minimum"),
    gettext_noop("name"),
    gettext_noop("offset"),
    gettext_noop("place"),
    gettext_noop("properties"),
    gettext_noop("required"),
    gettext_noop("shape"),
    gettext_noop("type"),
    gettext_noop("unit"),
    gettext_noop("version"),
    gettext_noop("warning maximum"),
    gettext_noop("warning minimum"),
    gettext_noop("warning threshold"),
)
"""What is said of an attribute, a parameter or a driver."""

ALL_GOOD = HEALTH[state_pb2.HEALTH_GOOD]


def health(value: int) -> Mark:
    return HEALTH.get(value) or _unheard_of(value)


def state(value: int) -> Mark:
    return STATE.get(value) or _unheard_of(value)


def contact(value: int) -> Mark:
    return CONTACT.get(value) or _unheard_of(value)


def desired(value: int) -> str:
    """The word for a desired state; unset means that the unit is left alone."""
    return _("nothing") if value == state_pb2.STATE_UNSPECIFIED else state(value).word


def end_reason(value: int) -> str:
    known = END_REASON.get(value)
    return _(known) if known else ""


def condition(type_: str) -> str:
    """A condition's type in words: `ConfigDrift` is *Config drift*."""
    return _(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type_).capitalize())


def direction(value: int) -> str:
    return _(DIRECTION.get(value, "not known yet"))


def version_state(value: int) -> str:
    word = VERSION_STATE.get(value)
    return _(word) if word else "?"


def facet(name: str) -> str:
    """A field of an attribute, a parameter or a driver: `warning_minimum` is *warning minimum*."""
    return _(name.replace("_", " "))


def value_type(value: int) -> str:
    if value == dataset_pb2.VALUE_TYPE_UNSPECIFIED:
        return _("not known yet")
    descriptor = dataset_pb2.ValueType.DESCRIPTOR.values_by_number.get(value)
    return (
        descriptor.name.removeprefix("VALUE_TYPE_").lower() if descriptor else _("type %s") % value
    )


def _unheard_of(value: int) -> Mark:
    word = _("Unknown (%s)") % value if value else gettext_noop("Unknown")
    return Mark(word, "unknown", "unknown")
