"""What a snapshot holds, value by value, beside what is on another side."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from mds.v1.snapshot_pb2 import (
    CompareSnapshotsRequest,
    ComparisonCounts,
    Snapshot,
    ValueDifference,
)

from control_units.client import Client
from webui.names import page_of
from webui.translation import ngettext

LIVE, CONFIGURED = "live", "configured"
# Time for a comparison, in s: of 100,000 values it takes a while.
COMPARE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What a snapshot is compared with.

    Attributes:
        other: LIVE, CONFIGURED, or the id of another snapshot.
        tolerance: as people write it: `0.01`, `1%`.
        group: only units whose ids begin so.
    """

    other: str = LIVE
    tolerance: str = ""
    group: str = ""

    @property
    def is_snapshot(self) -> bool:
        return self.other not in (LIVE, CONFIGURED)


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One value.

    Attributes:
        key: names it in a form: the unit and the attribute.
        stored, other: None: that side has none.
        is_equal: within the tolerance; `other` is then as good as `stored`.
        apart: the distance of two numbers, in words.
        silent: its unit is not in touch: what it last said may be old.
    """

    unit: str
    page: str
    attribute: str
    stored: str | None
    other: str | None
    is_equal: bool
    apart: str
    silent: bool

    @property
    def key(self) -> str:
        return f"{self.unit} {self.attribute}"

    @property
    def can_be_restored(self) -> bool:
        return self.stored is not None


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides, put together."""

    differences: Mapping[tuple[str, str], ValueDifference]
    counts: ComparisonCounts
    silent: Collection[str] = field(default_factory=frozenset)


async def compared(client: Client, name: str, side: Side) -> Compared:
    """
    Args:
        name: `snapshots/{id}`.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    request = CompareSnapshotsRequest(name=name, tolerance=side.tolerance, id_prefix=side.group)
    if side.other == LIVE:
        request.live = True
    elif side.other == CONFIGURED:
        request.configured = True
    else:
        request.snapshot = f"snapshots/{side.other}"
    found: dict[tuple[str, str], ValueDifference] = {}
    counts, silent = ComparisonCounts(), frozenset[str]()
    async for part in client.snapshots.CompareSnapshots(request, timeout=COMPARE_SECONDS):
        found |= {(each.control_unit, each.attribute): each for each in part.differences}
        counts, silent = part.counts, frozenset(part.not_in_touch)
    return Compared(found, counts, silent)


def value_rows(
    snapshot: Snapshot, both: Compared, side: Side, *, only_different: bool
) -> list[ValueRow]:
    """All values of both sides, by unit and attribute."""
    rows = [] if only_different else _equal(snapshot, both, side)
    rows += [_different(each, both) for each in both.differences.values()]
    return sorted(rows, key=lambda row: (row.unit, row.attribute))


def _equal(snapshot: Snapshot, both: Compared, side: Side) -> list[ValueRow]:
    return [
        ValueRow(
            unit.control_unit,
            page_of(f"control_units/{unit.control_unit}"),
            value.attribute,
            value.value,
            value.value,
            is_equal=True,
            apart="",
            silent=f"control_units/{unit.control_unit}" in both.silent,
        )
        for unit in snapshot.units
        if unit.control_unit.startswith(side.group)
        for value in unit.values
        if (unit.control_unit, value.attribute) not in both.differences
    ]


def _different(each: ValueDifference, both: Compared) -> ValueRow:
    name = f"control_units/{each.control_unit}"
    return ValueRow(
        each.control_unit,
        page_of(name),
        each.attribute,
        each.value if each.HasField("value") else None,
        each.other_value if each.HasField("other_value") else None,
        is_equal=False,
        apart=apart(each),
        silent=name in both.silent,
    )


def apart(difference: ValueDifference) -> str:
    """`0.25`; of arrays and documents also in how many elements: `0.25 (3 elements)`."""
    distance = f"{Decimal(difference.deviation):g}" if difference.deviation else ""
    count = difference.different_elements
    if count < 2:
        return distance
    return f"{distance} ({ngettext('%(num)s element', '%(num)s elements', count) % {'num': count}})".lstrip()
