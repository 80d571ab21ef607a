"""Set-points saved under names, as people mark, set and compare them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended, Mds
from tests.cli.facilities import site

SNAPSHOTS = """
snapshots:
- id: evening
  marks: [golden]
  taken_time: '2026-11-15T18:00:00Z'
  units:
  - control_unit: LAB/A
    values:
    - {attribute: current, type: DOUBLE, value: '1.50'}
  - control_unit: OLD/U
    values:
    - {attribute: shape, type: INT32, value: '[1, 2, 3]'}
- id: morning
  units:
  - control_unit: LAB/A
    values:
    - {attribute: current, type: DOUBLE, value: '1.25'}
  - control_unit: OLD/U
    values:
    - {attribute: shape, type: INT32, value: '[1, 7, 4]'}
"""


def count_of_values(snapshot: dict[str, Any]) -> int:
    return sum(len(unit.get("values", [])) for unit in snapshot.get("units", []))


def told(ended: Ended) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.fixture
async def saved(mds: Mds, tmp_path: Path) -> Mds:
    """The command line, beside a laboratory with two snapshots."""
    folder = site(tmp_path)
    (folder / "snapshots.yaml").write_text(SNAPSHOTS)
    ended = await mds("apply", str(folder), "--yes")
    assert ended.code == 0, ended.out + ended.err
    return mds


async def test_snapshots_are_listed_by_mark(saved: Mds) -> None:
    (golden,) = told(await saved("snapshot", "list", "--mark", "golden", "-o", "json"))
    assert (golden["name"], golden["marks"]) == ("snapshots/evening", ["golden"])
    assert (len(golden["units"]), count_of_values(golden)) == (2, 2)
    before = golden["name"]
    ended = await saved("snapshot", "mark", "morning", "shift-2", "golden", "--reason", "good beam")
    assert "the marks of morning are now golden, shift-2" in ended.out, ended.err
    listed = told(await saved("snapshot", "list", "--mark", "golden", "-o", "json"))
    assert [each["name"] for each in listed] == [before, "snapshots/morning"]
    assert "Nothing to do" in (await saved("snapshot", "mark", "morning", "golden")).out
    assert (await saved("snapshot", "unmark", "evening", "golden")).code == 0
    listed = told(await saved("snapshot", "list", "--mark", "golden", "-o", "json"))
    assert [each["name"] for each in listed] == ["snapshots/morning"]
    refused = await saved("snapshot", "unmark", "evening", "golden")
    assert refused.code == 1
    assert "evening has no mark golden; its marks: none." in refused.err
    refused = await saved("snapshot", "mark", "evening", "Very Good")
    assert refused.code == 1
    assert "lower-case letters" in refused.err
    exported = await saved("export", "--kind", "snapshots")
    assert "marks:\n  - golden\n  - shift-2\n" in exported.out, exported.err


async def test_values_are_set_by_hand(saved: Mds) -> None:
    assert (await saved("snapshot", "create", "mine", "--description", "by hand")).code == 0
    ended = await saved("snapshot", "set", "mine", "LAB/A", "current", "-0.5", "--reason", "tuned")
    assert "current of LAB/A is -0.5 in mine" in ended.out, ended.err
    refused = await saved("snapshot", "set", "mine", "LAB/A", "current", "1000")
    assert refused.code == 1
    assert "the maximum" in refused.err
    refused = await saved("snapshot", "set", "mine", "LAB/A", "curent", "1")
    assert refused.code == 1
    assert "an attribute of LAB/A" in refused.err
    compared = told(await saved("snapshot", "compare", "evening", "mine", "-o", "json"))
    assert compared["differences"][0] == {
        "control_unit": "LAB/A",
        "attribute": "current",
        "value": "1.50",
        "other_value": "-0.5",
        "deviation": "2.00",
        "different_elements": 1,
    }
    assert compared["missing_from_other"] == 1


async def test_two_snapshots_are_compared_within_a_tolerance(saved: Mds) -> None:
    ended = await saved("snapshot", "compare", "evening", "morning", "--exit-code")
    assert ended.code == 1
    assert ended.out.splitlines() == [
        "unit\tattribute\tevening\tmorning\tapart",
        "LAB/A\tcurrent\t1.50\t1.25\t0.25",
        "OLD/U\tshape\t[1, 2, 3]\t[1, 7, 4]\t5 (2 elements)",
    ]
    assert ended.err == "2 different, 0 equal.\n"
    within = ("--tolerance", "20%", "--units", "LAB/", "--exit-code")
    ended = await saved("snapshot", "compare", "evening", "morning", *within)
    assert (ended.code, ended.out, ended.err) == (0, "", "0 different, 1 equal.\n")
    refused = await saved("snapshot", "compare", "evening", "morning", "--tolerance", "much")
    assert refused.code == 1
    assert "tolerance is 'much'; right would be" in refused.err


async def test_a_snapshot_is_compared_with_what_is_intended(saved: Mds) -> None:
    ended = await saved("snapshot", "compare", "evening", "@configured")
    assert ended.code == 0
    assert "OLD/U\tshape\t[1, 2, 3]\t(none)" in ended.out
    assert "1 only in evening" in ended.err


async def test_the_snapshots_of_a_real_facility_are_compared(mds: Mds, chaos_files: Path) -> None:
    ended = await mds("import", "chaos", str(chaos_files / "lnf-production.json"))
    assert ended.code == 0, ended.out + ended.err
    listed = told(await mds("snapshot", "list", "-o", "json"))
    assert len(listed) == 8
    assert sum(count_of_values(each) for each in listed) == 232
    for each in listed:
        same = told(await mds("snapshot", "compare", each["name"], each["name"], "-o", "json"))
        assert (same["equal"], same["differences"]) == (count_of_values(each), [])
        intended = told(await mds("snapshot", "compare", each["name"], "@configured", "-o", "json"))
        counted = (intended[name] for name in ("equal", "different", "missing_from_other"))
        assert sum(counted) == count_of_values(each)
    largest, other = sorted(listed, key=count_of_values)[-1:-3:-1]
    found = told(await mds("snapshot", "compare", largest["name"], other["name"], "-o", "json"))
    counted = (found[name] for name in ("equal", "different", "missing_from_other"))
    assert sum(counted) == count_of_values(largest)
