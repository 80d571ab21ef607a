"""Templates from draft to the units that use them, and what each value comes from."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended, Mds
from tests.cli.facilities import TEMPLATE, site


def told(ended: Ended) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.fixture
async def published(mds: Mds, tmp_path: Path) -> Mds:
    """The command line, beside a laboratory whose template has a second version: a maximum of
    30, which all three units override with 40, and another ramp."""
    assert (await mds("apply", str(site(tmp_path)), "--yes")).code == 0
    draft = (await mds("template", "draft", TEMPLATE)).out
    file = tmp_path / "draft.yaml"
    file.write_text(draft.replace("default_value: '5'", "default_value: '8'"))
    written = await mds("template", "draft", TEMPLATE, "-f", str(file), "--reason", "faster")
    assert "Version 2" in written.out, written.err
    ended = await mds("template", "publish", TEMPLATE)
    assert ended.code == 0, ended.err
    return mds


async def test_versions_are_listed_with_where_they_stand(published: Mds) -> None:
    versions = told(await published("template", "versions", TEMPLATE, "-o", "json"))
    assert versions == [
        {"version": "1", "state": "PUBLISHED", "units": "3"},
        {"version": "2", "state": "PUBLISHED", "units": "0"},
    ]
    then = told(await published("template", "versions", TEMPLATE, "--as-of", "1", "-o", "json"))
    assert then == [{"version": "1", "state": "PUBLISHED"}]
    (listed,) = told(await published("template", "list", "-o", "json"))
    assert (listed["name"], listed["version"]) == (f"templates/{TEMPLATE}", 2)


async def test_a_rebase_tells_what_it_means_and_moves_those_that_are_chosen(
    published: Mds,
) -> None:
    dry = await published("template", "rebase", TEMPLATE, "--dry-run")
    assert "3 changed default" in dry.out
    assert dry.out.count("parameters[ramp]  5 → 8") == 1
    none = await published("template", "rebase", TEMPLATE, "--only", "unaffected", "--yes")
    assert "Nothing to do." in none.out
    some = told(
        await published("template", "rebase", TEMPLATE, "--unit", "LAB/A", "--yes", "-o", "json")
    )
    assert [(item["name"], item["outcome"]) for item in some["items"]] == [
        ("control_units/LAB/A", "CHANGED_DEFAULT")
    ]
    listed = told(await published("list", "-o", "json"))
    assert [[each["type"] for each in unit["status"].get("conditions", [])] for unit in listed] == [
        [],
        ["OutOfDate"],
        ["OutOfDate"],
    ]
    rest = await published("template", "rebase", TEMPLATE, "--select", "zone=LAB", "--yes")
    assert "Done at revision" in rest.out


async def test_a_conflict_stops_all_until_somebody_decides(published: Mds, tmp_path: Path) -> None:
    draft = (await published("template", "draft", TEMPLATE)).out
    file = tmp_path / "draft.yaml"
    file.write_text(draft.replace("minimum: '-50'", "minimum: '45'").replace("'0'", "'46'"))
    assert (await published("template", "draft", TEMPLATE, "-f", str(file))).code == 0
    assert (await published("template", "publish", TEMPLATE)).code == 0
    stopped = await published("template", "rebase", TEMPLATE, "--yes")
    assert stopped.code == 1
    assert "3 conflict" in stopped.out
    dropped = await published("template", "rebase", TEMPLATE, "--drop-conflicting", "--yes")
    assert dropped.code == 0, dropped.out
    assert "LAB/A: overrides[current]" in dropped.out


async def test_drafts_are_discarded_and_versions_deprecated(published: Mds) -> None:
    assert (await published("template", "discard", TEMPLATE)).code == 1
    await published("template", "draft", TEMPLATE)
    assert (await published("template", "discard", TEMPLATE)).code == 0
    assert (await published("template", "deprecate", TEMPLATE, "--version", "1")).code == 0
    versions = told(await published("template", "versions", TEMPLATE, "-o", "json"))
    assert [each["state"] for each in versions] == ["DEPRECATED", "PUBLISHED"]


async def test_a_file_without_the_template_is_refused(published: Mds, tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("templates: [{id: other}]\n")
    ended = await published("template", "draft", TEMPLATE, "-f", str(file))
    assert ended.code == 1
    assert "0 times" in ended.err


async def test_each_value_is_explained(published: Mds) -> None:
    lines = [line.split("\t") for line in (await published("explain", "LAB/A")).out.splitlines()]
    found = {line[0]: line for line in lines}
    assert found["what"] == ["what", "value", "unit", "from", "revision", "who", "why"]
    assert found["attributes[current].maximum"][1:5] == ["40", "A", "the unit itself", "1"]
    assert found["parameters[ramp]"][1:5] == ["5", "A/s", "template version 1", "1"]
    planned = (await published("explain", "LAB/A", "--to", "2")).out
    assert "parameters[ramp]\t5\t8\tA/s\t" in planned
    layers = (await published("explain", "LAB/A", "--all-layers")).out
    assert "  not attributes[current].maximum\t50\t" in layers


async def test_what_is_odd_is_found(published: Mds) -> None:
    checks = told(await published("audit", "--list", "-o", "json"))
    assert "never-seen" in {check["name"] for check in checks}
    found = told(await published("audit", "never-seen", "-o", "json"))
    assert {each["name"] for each in found} >= {"control_units/LAB/A"}
    ended = await published("audit", "never-seen", "--exit-code")
    assert ended.code == 1
    assert ended.out.startswith("check\tseverity\tname\twhat is odd\n")
    assert (await published("audit", "no-such-check")).code == 1
