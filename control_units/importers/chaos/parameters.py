"""Settings of units that are no attributes, with what is known of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from mds.v1.dataset_pb2 import ValueType
from mds.v1.parameter_pb2 import Parameter

from control_units.importers.chaos.entries import Entry
from control_units.importers.findings import Findings


@dataclass(frozen=True, slots=True)
class KnownParameter:
    """A parameter by our name, and its fields in files of both generations."""

    spellings: tuple[str, ...]
    type: "ValueType.ValueType"
    description: str
    unit: str = ""

    def declare(self, name: str) -> Parameter:
        """As it stands in a template."""
        declared = Parameter(name=name, type=self.type, description=self.description)
        if self.unit:
            declared.unit = self.unit
        return declared


_NUMBER = ValueType.VALUE_TYPE_UINT64
_TEXT = ValueType.VALUE_TYPE_STRING

KNOWN: Mapping[str, KnownParameter] = {
    "load_parameter": KnownParameter(
        ("cudk_load_param", "cu_param"), _TEXT, "What the unit is loaded with."
    ),
    "schedule_delay": KnownParameter(
        ("cudk_thr_sch_delay", "default_schedule_delay"), _NUMBER, "Period of its cycle.", "us"
    ),
    "storage_type": KnownParameter(
        ("dsndk_storage_type", "storage_type"),
        _NUMBER,
        "Where its data go: the sum of 1 history, 2 live, 4 file, 8 remote queue, 16 log.",
    ),
    "history_ageing": KnownParameter(
        ("dsndk_storage_history_ageing", "storage_ageing"),
        _NUMBER,
        "How long its history is kept.",
        "s",
    ),
    "history_time": KnownParameter(
        ("dsndk_storage_history_time",), _NUMBER, "`dsndk_storage_history_time` of !CHAOS."
    ),
    "live_time": KnownParameter(
        ("dsndk_storage_live_time",), _NUMBER, "`dsndk_storage_live_time` of !CHAOS."
    ),
    "log_time": KnownParameter(
        ("dsndk_storage_log_time",), _NUMBER, "`dsndk_storage_log_time` of !CHAOS."
    ),
    "update_anyway": KnownParameter(
        ("dsndk_update_anyway",), _NUMBER, "`dsndk_update_anyway` of !CHAOS."
    ),
    "log_maximum": KnownParameter(
        ("cudk_log_max_ms",), _NUMBER, "`cudk_log_max_ms` of !CHAOS.", "ms"
    ),
}
"""Parameters by our names, in the order in which they stand in templates."""


def take_parameters(entry: Entry, findings: Findings, name: str) -> dict[str, str]:
    """Values of the known parameters by our names; an empty one is not given.

    Args:
        name: of the resource, for problems.
    """
    found: dict[str, str] = {}
    names = entry.names()
    for parameter, known in KNOWN.items():
        if names.isdisjoint(known.spellings):
            continue
        text = entry.text(*known.spellings)
        if known.type == _NUMBER and text and not (text.isascii() and text.isdecimal()):
            expected = f"a whole number{f' of {known.unit}' if known.unit else ''}, from 0"
            findings.problem(
                entry.place_of(*known.spellings),
                expected,
                value=text,
                reason="INVALID_VALUE",
                name=name,
                field=f"parameters.{parameter}",
            )
        elif text:
            found[parameter] = text
    return found
