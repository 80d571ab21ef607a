"""How the plan of an order is told."""

import pytest
from google.protobuf.duration_pb2 import Duration
from mds.v1.operation_pb2 import OrderVerb
from mds.v1.operation_plan_pb2 import BlockedUnit, HitUnit, OperationPlan, PlannedStep
from mds.v1.state_pb2 import State

from control_units.cli.orders.report import order_lines

STOP = OrderVerb.ORDER_VERB_STOP


def planned(id: str, wave: int = 0, *waits_for: str, state: str = "RUNNING") -> PlannedStep:
    return PlannedStep(
        control_unit=f"control_units/{id}",
        wave=wave,
        state=State.Value(f"STATE_{state}"),
        waits_for=waits_for,
    )


def told(**fields: object) -> list[str]:
    return list(order_lines(STOP, OperationPlan(**fields)))  # type: ignore[arg-type]


def test_one_unit_is_one_line() -> None:
    estimate = Duration(seconds=3)
    assert told(steps=[planned("LAB/A")], estimate=estimate) == [
        "stop LAB/A, now RUNNING, about 3.0 s"
    ]


def test_waves_are_told_with_what_they_wait_for() -> None:
    title, headers, first, second = told(
        steps=[
            planned("LAB/A"),
            planned("LAB/B", state="STOPPED"),
            planned("LAB/C", 1, "level 3", "LAB/MAG/"),
        ]
    )
    assert "stop 3 control units, in 2 waves" in title
    assert headers.split() == ["wave", "units", "now", "after"]
    assert "1 RUNNING, 1 STOPPED" in first
    assert first.endswith("LAB/A, LAB/B")
    assert "level 3, LAB/MAG/" in second


def test_one_wave_is_told_without_a_table() -> None:
    title, line = told(steps=[planned("LAB/A"), planned("LAB/B", state="STOPPED")])
    assert "stop 2 control units" in title
    assert line == "  LAB/A, LAB/B; now 1 RUNNING, 1 STOPPED"


def test_what_is_there_or_blocked_or_superseded_is_told() -> None:
    text = "\n".join(
        told(
            there=["control_units/LAB/A"],
            blocked=[
                BlockedUnit(
                    control_unit="control_units/LAB/B",
                    by="control_units/LAB/C",
                    why="requires LAB/B, is RUNNING, and is not part of this order",
                ),
                BlockedUnit(control_unit="control_units/LAB/D", why="is in maintenance"),
            ],
            supersedes=["operations/7f31"],
        )
    )
    assert "There already: 1 control unit: LAB/A" in text
    assert "LAB/B  LAB/C requires LAB/B, is RUNNING, and is not part of this order" in text
    assert "LAB/D  is in maintenance" in text
    assert "Takes units over from: 7f31" in text


def test_the_blast_radius_is_told_last() -> None:
    hit = HitUnit(control_unit="control_units/LAB/X", through="control_units/LAB/A")
    *_, title, _, row = told(steps=[planned("LAB/A")], hit=[hit])
    assert "Blast radius: 1 control unit would be left running without what they" in title
    assert row.split() == ["LAB/X", "LAB/A"]


@pytest.mark.parametrize("count", [21, 500])
def test_long_lists_are_cut(count: int) -> None:
    lines = told(steps=[planned(f"LAB/U{i:03}", i) for i in range(count)])
    assert lines[-1] == f"  and {count - 20} more"
