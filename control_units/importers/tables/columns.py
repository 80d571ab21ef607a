"""The heads of a table: which field of a control unit stands in which column."""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from mds.v1.dataset_pb2 import AttributeOverride

FACETS = tuple(
    field.name for field in AttributeOverride.DESCRIPTOR.fields if field.name != "attribute"
)
"""What a unit may change of an attribute; `default_value` is what the bare name stands for."""

PLAIN = (
    "id", "template", "template_version", "unit_server", "description", "desired_state", "level",
    "requires", "after", "labels",
)  # fmt: skip
READ_ONLY = frozenset(
    {"verdict", "state", "since", "zone", "conditions", "message", "contact", "overrides",
     "changed", "created"}
)  # fmt: skip
"""What lists of units have besides, and nobody declares."""

_ALIASES = {"version": "template_version", "desired": "desired_state", "control_unit": "id"}
_KINDS = {"label": "labels", "parameter": "parameters"}
_PATH = re.compile(
    rf"(?:overrides\[(.+)\]\.(?:{'|'.join(FACETS)})|(?:labels|parameters)\[(.+)\])\Z"
)
_FACETED = re.compile(rf"(.+)\.({'|'.join(FACETS)})\Z")
# Names of attributes may have brackets of their own: `range_slit[mm]`.
_NAME = re.compile(r"[A-Za-z0-9_.:+-][A-Za-z0-9_.:+\[\]/%-]*\Z")
# Alike enough for one to be the other, spelt wrong.
_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a head stands for.

    Attributes:
        path: of a field, as differences tell it (`overrides[current].maximum`); empty: of none.
        expected: what would be right instead; empty: nothing is wrong.
    """

    path: str = ""
    expected: str = ""


def meaning_of(head: str) -> Meaning:
    """Which field a head names: a plain one, `label:rack`, `parameter:ramp`, `current`,
    `current.maximum`, `attribute:state`, or the path of one. That it is only read, or that it is
    nothing, is no field."""
    head = head.strip()
    word = re.sub(r"[ _]+", "_", head).lower()
    word = _ALIASES.get(word, word)
    if word in PLAIN:
        return Meaning(word)
    if not head or word in READ_ONLY:
        return Meaning()
    if _PATH.match(head):
        return Meaning(head)
    kind, colon, name = head.partition(":")
    kind = kind.strip().lower()
    if colon and kind in _KINDS and name:
        return Meaning(f"{_KINDS[kind]}[{name.strip()}]")
    if colon and kind == "attribute" and name:
        return Meaning(_override(name.strip()))
    return _bare(head, word)


def _bare(head: str, word: str) -> Meaning:
    """The name of an attribute, unless it is more likely a word that is spelt wrong."""
    if head.startswith(("drivers[", "properties[")):
        return Meaning(expected="a field that fits into a cell; this one is edited in YAML")
    if close := get_close_matches(word, [*PLAIN, *_ALIASES], n=1, cutoff=_ALIKE):
        return Meaning(expected=f"perhaps {close[0]!r}; for an attribute 'attribute:{head}'")
    if not _NAME.match(head):
        known = ", ".join(PLAIN)
        return Meaning(expected=f"one of {known}, label:NAME, parameter:NAME or an attribute")
    return Meaning(_override(head))


def _override(name: str) -> str:
    faceted = _FACETED.match(name)
    attribute, facet = faceted.groups() if faceted else (name, "default_value")
    return f"overrides[{attribute}].{facet}"


def head_of(path: str) -> str:
    """The shortest head that means a path and nothing else."""
    found = re.match(r"(labels|parameters|overrides)\[(.+)\](?:\.(\w+))?\Z", path)
    if found is None:
        return path
    kind, name, facet = found.groups()
    if kind != "overrides":
        shorter = [f"{kind.removesuffix('s')}:{name}"]
    else:
        bare = name if facet == "default_value" else f"{name}.{facet}"
        shorter = [bare, f"attribute:{bare}"]
    return next((head for head in shorter if meaning_of(head).path == path), path)
