"""What a file says of attributes: of units, of execution units, and in the catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mds.v1.dataset_pb2 import AttributeOverride, Direction, ValueType

from control_units.importers.chaos.entries import Entry, entries, is_empty
from control_units.importers.findings import Findings
from control_units.importers.json_text import Value
from control_units.importers.numbers import number_of

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "unit": ("cudk_ds_attr_unit", "ds_attr_unit"),
    "default_value": ("cudk_default_value", "ds_default_value"),
    "minimum": ("cudk_ds_min_range", "ds_min_range"),
    "maximum": ("cudk_ds_max_range", "ds_max_range"),
    "warning_minimum": ("cudk_ds_min_warn_range", "ds_min_warn_range"),
    "warning_maximum": ("cudk_ds_max_warn_range", "ds_max_warn_range"),
    "increment": ("cudk_ds_attr_inc", "ds_attr_inc"),
    "offset": ("cudk_ds_attr_offset", "ds_attr_offset"),
    "conversion_factor": ("cudk_ds_attr_convfact", "ds_attr_convfact"),
    "warning_threshold": ("cudk_ds_attr_wrn_thr", "ds_attr_wrn_thr", "cudk_ds_attr_warning_thr"),
    "error_threshold": ("cudk_ds_attr_err_thr", "cudk_ds_attr_error_thr", "ds_attr_err_thr"),
}
"""Facets by their names in the protocol, with their spellings in files of both generations."""

_NAME = ("cudk_ds_attr_name", "ds_attr_name")
_DIRECTION = ("cudk_ds_attr_dir", "ds_attr_dir")
_TYPE = ("cudk_ds_attr_type", "ds_attr_type")
_DESCRIPTION = ("cudk_ds_attr_desc", "ds_attr_desc")
_ABSENT = "NA"
_RANGE = ("minimum", "maximum")
_DIRECTIONS: Mapping[str, "Direction.ValueType"] = {
    "0": Direction.DIRECTION_INPUT,
    "1": Direction.DIRECTION_OUTPUT,
    "2": Direction.DIRECTION_BIDIRECTIONAL,
    "input": Direction.DIRECTION_INPUT,
    "output": Direction.DIRECTION_OUTPUT,
    "bidirectional": Direction.DIRECTION_BIDIRECTIONAL,
}
TYPES: Mapping[str, "ValueType.ValueType"] = {
    "0": ValueType.VALUE_TYPE_BOOL,
    "1": ValueType.VALUE_TYPE_INT32,
    "2": ValueType.VALUE_TYPE_INT64,
    "3": ValueType.VALUE_TYPE_DOUBLE,
    "4": ValueType.VALUE_TYPE_STRING,
    "5": ValueType.VALUE_TYPE_BYTES,
}
"""Types of values by their numbers in !CHAOS."""


@dataclass(frozen=True, slots=True)
class StatedAttribute:
    """What one entry of a file says of one attribute.

    Attributes:
        facets: text by name of `SPELLINGS`; what says nothing is absent.
        rest: what the model has no place for.
    """

    name: str
    entry: Entry
    facets: Mapping[str, str]
    direction: "Direction.ValueType" = Direction.DIRECTION_UNSPECIFIED
    type: "ValueType.ValueType" = ValueType.VALUE_TYPE_UNSPECIFIED
    description: str = ""
    rest: Mapping[str, Value] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return self.entry.place

    def place_of(self, facet: str) -> str:
        """Where a facet stands."""
        return self.entry.place_of(*SPELLINGS[facet])

    def override(self, inherited: Mapping[str, str]) -> AttributeOverride | None:
        """What is stated and not inherited; None: nothing."""
        own = {n: text for n, text in self.facets.items() if inherited.get(n) != text}
        return AttributeOverride(attribute=self.name, **own) if own else None


def read_attributes(value: Value, place: str, findings: Findings) -> Iterator[StatedAttribute]:
    """All attributes of a list or object, those with an unusable name left out with a problem."""
    for entry in entries(value, place, findings):
        stated = _read(entry)
        if name_fault(stated.name):
            expected = "a name of 1 to 255 bytes without white space"
            at = entry.place_of(*_NAME) if not stated.name else stated.place
            findings.problem(at, expected, value=stated.name, field="overrides")
        else:
            yield stated


def name_fault(name: str) -> bool:
    """Whether an attribute cannot have this name."""
    has_space = any(c.isspace() or not c.isprintable() for c in name)
    return has_space or not 0 < len(name.encode()) <= 255


def _read(entry: Entry) -> StatedAttribute:
    name = entry.text(*_NAME) or entry.key
    names = entry.names()
    taken = {
        facet: entry.text(*spellings)
        for facet, spellings in SPELLINGS.items()
        if not names.isdisjoint(spellings)
    }
    has_range = any(taken.get(facet, "") not in {"", _ABSENT} for facet in _RANGE)
    facets = {
        facet: text
        for facet, text in taken.items()
        if text and not (text == _ABSENT and (facet != "default_value" or has_range))
    }
    direction, type_ = entry.text(*_DIRECTION), entry.text(*_TYPE)
    if direction.lower() not in _DIRECTIONS:
        entry.put_back(_DIRECTION[0], direction)
    if type_ not in TYPES:
        entry.put_back(_TYPE[0], type_)
    return StatedAttribute(
        name,
        entry,
        facets,
        direction=_DIRECTIONS.get(direction.lower(), Direction.DIRECTION_UNSPECIFIED),
        type=TYPES.get(type_, ValueType.VALUE_TYPE_UNSPECIFIED),
        description=entry.text(*_DESCRIPTION),
        rest={name: value for name, value in entry.left_over() if not is_empty(value)},
    )


@dataclass(frozen=True, slots=True)
class WrongFacet:
    """A facet that cannot be as it is, and what would be right."""

    facet: str
    reason: str
    expected: str


def wrong_facets(facets: Mapping[str, str]) -> Iterator[WrongFacet]:
    """What is wrong with the values of one attribute, each facet for itself and together.

    Types are not known from a file. A default that is no number is a text, for which a range
    means nothing; ranges of flags are written `false` and `true`.
    """
    for facet, text in facets.items():
        flags = {"true", "false"} if facet in _RANGE else set()
        is_text = facet in {"unit", "default_value"}
        if not is_text and number_of(text) is None and text not in flags:
            yield WrongFacet(facet, "INVALID_VALUE", "a number (10, -0.5, 1e-3, 0x5A) or nothing")
    default, minimum, maximum = (
        number_of(facets.get(facet, "")) for facet in ("default_value", *_RANGE)
    )
    if minimum is not None and maximum is not None and minimum > maximum:
        expected = f"at most its maximum, {facets['maximum']}"
        yield WrongFacet("minimum", "INVALID_VALUE", expected)
    elif default is not None and minimum is not None and default < minimum:
        expected = f"at least its minimum, {facets['minimum']}"
        yield WrongFacet("default_value", "OVERRIDE_OUT_OF_RANGE", expected)
    elif default is not None and maximum is not None and default > maximum:
        expected = f"at most its maximum, {facets['maximum']}"
        yield WrongFacet("default_value", "OVERRIDE_OUT_OF_RANGE", expected)
