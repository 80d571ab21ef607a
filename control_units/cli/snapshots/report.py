"""What differs between a snapshot and something else, for people and for scripts."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal

import click
from mds.v1.snapshot_pb2 import (
    CompareSnapshotsRequest,
    CompareSnapshotsResponse,
    ComparisonCounts,
    ValueDifference,
)

from control_units.cli.connection import Connection
from control_units.cli.output.tables import write_table
from control_units.client import Client

LONGEST_SHOWN = 40
NAMED = 5
"""Units that a sentence names."""
_PATIENCE_S = 120.0


def compare_snapshots(
    connection: Connection, request: CompareSnapshotsRequest, *, output: str
) -> bool:
    """Writes what is not equal; whether there was something."""

    async def work(client: Client) -> list[CompareSnapshotsResponse]:
        call = client.snapshots.CompareSnapshots(request, timeout=_PATIENCE_S)
        return [part async for part in call]

    parts = connection.run(work)
    found = [each for part in parts for each in part.differences]
    counts = parts[-1].counts
    silent = parts[-1].not_in_touch
    if output == "json":
        told = {**_fields(found, counts), "not_in_touch": [_id(each) for each in silent]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _write(request, found, counts)
        tell_silent(silent)
    return bool(found)


def _write(
    request: CompareSnapshotsRequest, found: Sequence[ValueDifference], counts: ComparisonCounts
) -> None:
    left = _id(request.name)
    right = _id(request.snapshot) if request.snapshot else "live" if request.live else "configured"
    if found:
        headers = ("unit", "attribute", left, right, "apart")
        write_table(headers, [_row(each) for each in found])
    click.secho(", ".join(_sums(counts, left, right)) + ".", bold=True, err=True)


def tell_silent(silent: Sequence[str]) -> None:
    """Says whose live values may be others by now."""
    if silent:
        names = ", ".join(_id(each) for each in silent[:NAMED])
        more = f" and {len(silent) - NAMED} more" if len(silent) > NAMED else ""
        click.echo(f"Not in touch, their values are the last ones told: {names}{more}.", err=True)


def _sums(counts: ComparisonCounts, left: str, right: str) -> Iterator[str]:
    yield f"{counts.different} different"
    if counts.missing_from_other:
        yield f"{counts.missing_from_other} only in {left}"
    if counts.missing:
        yield f"{counts.missing} only in {right}"
    yield f"{counts.equal} equal"


def _row(difference: ValueDifference) -> tuple[str, ...]:
    return (
        difference.control_unit,
        difference.attribute,
        cut(difference.value) if difference.HasField("value") else "(none)",
        cut(difference.other_value) if difference.HasField("other_value") else "(none)",
        _apart(difference),
    )


def _apart(difference: ValueDifference) -> str:
    """`0.25`; of arrays and documents also in how many elements: `0.25 (3 elements)`."""
    apart = f"{Decimal(difference.deviation):g}" if difference.deviation else ""
    if difference.different_elements > 1:
        return f"{apart} ({difference.different_elements} elements)".lstrip()
    return apart


def cut(value: str) -> str:
    return value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}…"


def _fields(found: Sequence[ValueDifference], counts: ComparisonCounts) -> dict[str, object]:
    return {
        "differences": [
            {
                "control_unit": each.control_unit,
                "attribute": each.attribute,
                "value": each.value if each.HasField("value") else None,
                "other_value": each.other_value if each.HasField("other_value") else None,
                "deviation": each.deviation or None,
                "different_elements": each.different_elements,
            }
            for each in found
        ],
        "equal": counts.equal,
        "different": counts.different,
        "missing": counts.missing,
        "missing_from_other": counts.missing_from_other,
    }


def _id(name: str) -> str:
    return name.partition("/")[2]
