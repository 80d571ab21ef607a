"""The same fields of many control units, changed in one go."""

import json
from pathlib import Path

import pytest

from control_units.cli.editing.editing import full_path
from tests.cli.conftest import Mds, run_mds
from tests.cli.facilities import TEMPLATE, site


@pytest.fixture
async def laboratory(mds: Mds, tmp_path: Path) -> Mds:
    """The command line, beside a server that has the laboratory."""
    assert (await mds("apply", str(site(tmp_path)), "--yes")).code == 0
    return mds


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("current.maximum", "overrides[current].maximum"),
        ("overrides[current].maximum", "overrides[current].maximum"),
        ("parameters[ramp]", "parameters[ramp]"),
        ("description", "description"),
    ],
)
def test_a_path_is_short_for_an_override(said: str, meant: str) -> None:
    assert full_path(said) == meant


async def test_a_field_of_all_that_are_selected_is_changed_in_one_change(laboratory: Mds) -> None:
    options = ("--template", TEMPLATE, "--prefix", "LAB/", "--set", "current.maximum=45")
    dry = await laboratory("edit", *options, "--dry-run")
    assert "~ 3 control units\n    LAB/A, LAB/B, LAB/C\n" in dry.out
    assert dry.out.count("overrides[current].maximum  40 → 45") == 1
    done = await laboratory("edit", *options, "--yes", "--reason", "new magnets")
    assert done.code == 0, done.err
    (newest, *_) = json.loads((await laboratory("changes", "-o", "json")).out)
    assert (newest["updated"], newest["reason"]) == ("3", "new magnets")
    again = await laboratory("edit", *options, "--yes")
    assert "Nothing to do." in again.out


async def test_named_units_are_changed_and_fields_cleared(laboratory: Mds) -> None:
    ended = await laboratory(
        "edit", "LAB/A", "control_units/LAB/B", "--clear", "current.maximum",
        "--set", "labels[group]=Q", "--yes", "-o", "json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert [item["name"] for item in found["items"]] == [
        "control_units/LAB/A",
        "control_units/LAB/B",
    ]
    labelled = await laboratory(
        "edit", "--label", "group=Q", "--set", "parameters[ramp]=7", "--dry-run", "-o", "json"
    )
    assert json.loads(labelled.out)["counts"]["changed"] == 2


async def test_a_value_that_breaks_a_rule_is_told_for_each_unit(laboratory: Mds) -> None:
    ended = await laboratory("edit", "--zone", "LAB", "--set", "current.maximum=-60", "--yes")
    assert ended.code == 1
    assert "3 with problems" in ended.out
    assert "control_units/LAB/A overrides[0].maximum" in ended.out
    assert "'-60'" in ended.out


async def test_an_edit_of_nothing_or_of_everything_is_wrong_use() -> None:
    for wrong in (
        ["LAB/A"],
        ["--set", "current.maximum=1"],
        ["LAB/A", "--set", "current.maximum"],
        ["--zone", "A/B", "--prefix", "C/", "--set", "x=1"],
        ["--state", "FLYING", "--set", "x=1"],
        ["--select", "colour=red", "--set", "x=1"],
    ):
        assert (await run_mds("edit", *wrong, "--dry-run")).code == 2, wrong
