"""The page's words for what the contract numbers: a glyph, a word and a tone for each.

A glyph and a word always stand together, so that nothing is told by colour alone. A value
that a newer server may send is shown as unknown, with its number, rather than refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mds.v1 import dataset_pb2, state_pb2, unit_server_pb2


@dataclass(frozen=True, slots=True)
class Mark:
    """How one value is shown.

    Attributes:
        glyph: symbol in `templates/glyphs.svg`; each has a shape of its own.
        tone: CSS class that may colour it; `quiet` never does.
    """

    word: str
    glyph: str
    tone: str = "quiet"


HEALTH: Mapping[int, Mark] = {
    state_pb2.HEALTH_GOOD: Mark("Good", "good", "good"),
    state_pb2.HEALTH_CHANGING: Mark("Changing", "changing", "changing"),
    state_pb2.HEALTH_UNKNOWN: Mark("Unknown", "unknown", "unknown"),
    state_pb2.HEALTH_WARNING: Mark("Warning", "warning", "warning"),
    state_pb2.HEALTH_BAD: Mark("Bad", "bad", "bad"),
}

STATE: Mapping[int, Mark] = {
    state_pb2.STATE_UNSPECIFIED: Mark("Never reported", "none"),
    state_pb2.STATE_UNLOADED: Mark("Unloaded", "unloaded"),
    state_pb2.STATE_LOADED: Mark("Loaded", "loaded"),
    state_pb2.STATE_INITIALIZED: Mark("Initialized", "initialized"),
    state_pb2.STATE_RUNNING: Mark("Running", "running"),
    state_pb2.STATE_STOPPED: Mark("Stopped", "stopped"),
    state_pb2.STATE_RECOVERABLE_ERROR: Mark("Recoverable error", "bad", "bad"),
    state_pb2.STATE_FATAL_ERROR: Mark("Fatal error", "fatal", "bad"),
}

CONTACT: Mapping[int, Mark] = {
    state_pb2.CONTACT_ALIVE: Mark("Alive", "alive"),
    state_pb2.CONTACT_SUSPECT: Mark("Suspect", "warning", "warning"),
    state_pb2.CONTACT_LOST: Mark("Lost", "lost", "bad"),
    state_pb2.CONTACT_UNKNOWN: Mark("Unknown", "unknown", "unknown"),
    state_pb2.CONTACT_NONE: Mark("No session", "none"),
}

END_REASON: Mapping[int, str] = {
    unit_server_pb2.END_REASON_GOOD_BYE: "said good-bye",
    unit_server_pb2.END_REASON_LEASE_ENDED: "lease ran out",
    unit_server_pb2.END_REASON_SUPERSEDED: "a new run registered",
    unit_server_pb2.END_REASON_TAKEN_OVER: "taken over by another process",
    unit_server_pb2.END_REASON_REMOVED: "deleted or moved elsewhere",
}

DIRECTION: Mapping[int, str] = {
    dataset_pb2.DIRECTION_INPUT: "input",
    dataset_pb2.DIRECTION_OUTPUT: "output",
    dataset_pb2.DIRECTION_BIDIRECTIONAL: "bidirectional",
}

ALL_GOOD = HEALTH[state_pb2.HEALTH_GOOD]


def health(value: int) -> Mark:
    return HEALTH.get(value) or _unheard_of(value)


def state(value: int) -> Mark:
    return STATE.get(value) or _unheard_of(value)


def contact(value: int) -> Mark:
    return CONTACT.get(value) or _unheard_of(value)


def desired(value: int) -> str:
    """The word for a desired state; unset means that the unit is left alone."""
    return "nothing" if value == state_pb2.STATE_UNSPECIFIED else state(value).word


def end_reason(value: int) -> str:
    return END_REASON.get(value, "")


def condition(type_: str) -> str:
    """A condition's type in words: `ConfigDrift` is *Config drift*."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type_).capitalize()


def direction(value: int) -> str:
    return DIRECTION.get(value, "not known yet")


def value_type(value: int) -> str:
    if value == dataset_pb2.VALUE_TYPE_UNSPECIFIED:
        return "not known yet"
    descriptor = dataset_pb2.ValueType.DESCRIPTOR.values_by_number.get(value)
    return descriptor.name.removeprefix("VALUE_TYPE_").lower() if descriptor else f"type {value}"


def _unheard_of(value: int) -> Mark:
    word = f"Unknown ({value})" if value else "Unknown"
    return Mark(word, "unknown", "unknown")
