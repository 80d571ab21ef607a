"""What there is, listed and shown."""

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Mds
from tests.cli.test_import import small_facility, write


@pytest.fixture(scope="module")
def imported(lasting_mds: Mds, tmp_path_factory: pytest.TempPathFactory) -> Mds:
    """The command line, beside a server that has the small facility, which no test here changes."""
    asyncio.run(import_it(lasting_mds, tmp_path_factory.mktemp("facility")))
    return lasting_mds


async def import_it(mds: Mds, folder: Path) -> None:
    ended = await mds("import", "chaos", str(write(folder, small_facility())))
    assert ended.code == 0, ended.err


async def test_units_are_listed_with_what_people_want_and_what_they_said(imported: Mds) -> None:
    lines = (await imported("list", "--prefix", "A/B/1")).out.splitlines()
    assert [line.split("\t") for line in lines] == [
        ["id", "state", "desired", "contact", "unit server", "template", "conditions", "message"],
        ["A/B/1", "", "RUNNING", "NONE", "S",
         "driver::powersupply::SCPowerSupplyControlUnit", "", ""],
    ]  # fmt: skip


async def test_programs_read_the_json_of_the_protocol(imported: Mds) -> None:
    listed = json.loads((await imported("list", "--prefix", "A/B/1", "-o", "json")).out)
    assert listed[0]["unitServer"] == "unit_servers/S"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("control_units", "A/B/0"),
        ("unit_servers", "S"),
        ("agents", "agent"),
        ("templates", "driver::powersupply::SCPowerSupplyControlUnit"),
        ("scripts", "f.C"),
        ("execution_units", "E"),
        ("variables", "v"),
        ("snapshots", "s"),
    ],
)
async def test_each_kind_is_listed_and_shown(imported: Mds, kind: str, expected: str) -> None:
    listed = json.loads((await imported("list", kind, "-o", "json")).out)
    assert listed[0]["name"] == f"{kind}/{expected}"
    shown = await imported("show", f"{kind}/{expected}")
    assert shown.code == 0
    assert yaml.safe_load(shown.out)["id"] == expected


async def test_the_configuration_of_a_unit_is_all_that_it_shall_use(imported: Mds) -> None:
    ended = await imported("show", "control_units/A/B/2", "--configuration")
    configuration = yaml.safe_load(ended.out)
    (current,) = configuration["attributes"]
    assert (current["minimum"], current["maximum"], current["unit"]) == ("0", "10", "A")
    assert configuration["drivers"][0]["init_parameter"] == "channel 2"
    assert configuration["drivers"][0]["version"] == "1.0.0"
    assert configuration["parameters"] == {"schedule_delay": "1000000"}


async def test_what_cannot_be_shown_is_named(imported: Mds) -> None:
    assert (await imported("show", "scripts/none")).code == 1
    for wrong in ("scripts", "control_units/"):
        ended = await imported("show", wrong)
        assert ended.code == 2
        assert "KIND/ID" in ended.err
    assert (await imported("show", "scripts/f.C", "--configuration")).code == 2


async def test_lists_are_cut_sorted_and_filtered_where_people_say_so(imported: Mds) -> None:
    names = await imported("list", "cu", "--sort", "id,desc", "--limit", "2", "-o", "name")
    ids = [line.removeprefix("control_units/") for line in names.out.splitlines()]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 2
    found = await imported("list", "unit", "--filter", f"id={ids[0]}", "-o", "csv", "--no-headers")
    assert found.out.startswith(f"{ids[0]},")
    assert len(found.out.splitlines()) == 1
    keys = await imported("list", "cu", "--filter-keys")
    assert "\nzone\t" in keys.out


async def test_nothing_is_written_of_what_is_refused(imported: Mds) -> None:
    for wrong in (("--filter", "zon=A"), ("--sort", "bogus"), ("--as-of", "999")):
        ended = await imported("list", *wrong)
        assert (ended.code, ended.out) == (1, ""), wrong
        assert "Traceback" not in ended.err
    ended = await imported("list", "operations", "--prefix", "A")
    assert (ended.code, "--prefix is not for operations" in ended.err) == (2, True)


async def test_an_id_alone_is_found_among_all_kinds_and_a_wrong_one_is_guessed(
    imported: Mds,
) -> None:
    found = await imported("show", "f.C", "-o", "name")
    assert (found.code, found.out) == (0, "scripts/f.C\n")
    wrong = await imported("show", "A/B/00")
    assert (wrong.code, "Did you mean A/B/0" in wrong.err) == (1, True)
    assert "CONTROL_UNIT_NOT_FOUND" in wrong.err
