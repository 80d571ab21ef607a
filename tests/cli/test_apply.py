"""Files as plans: shown, agreed to, and just that done."""

import asyncio
import json
import os
import pty
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended, Mds, run_mds
from tests.cli.facilities import TEMPLATE, site, units
from tests.stages.nursery import MDS
from tests.stages.replica import Replica


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return site(tmp_path)


def told(ended: Ended) -> Any:
    return json.loads(ended.out)


async def test_a_folder_is_applied_and_again_there_is_nothing_to_do(mds: Mds, folder: Path) -> None:
    first = await mds("apply", str(folder), "--yes")
    assert first.code == 0, first.out
    assert "Done at revision 1." in first.out
    assert "mds undo 1" in first.out
    again = await mds("apply", str(folder), "--yes")
    assert again.code == 0
    assert "5 as they are" in again.out
    assert "Nothing to do." in again.out


async def test_a_dry_run_tells_fields_and_places_and_writes_nothing(mds: Mds, folder: Path) -> None:
    await mds("apply", str(folder), "--yes")
    file = folder / "units" / "magnets.yaml"
    file.write_text(units("LAB/A", maximum="45"))
    ended = await mds("apply", str(folder), "--dry-run", "--detailed-exit-code")
    assert ended.code == 4
    assert f"~ control_units/LAB/A  ({file}:2 control_units[0])" in ended.out
    assert "overrides[current].maximum  40 → 45" in ended.out
    assert (await mds("history", "LAB/A", "-o", "json")).out.count("revision") == 1
    await mds("apply", str(folder), "--yes")
    ended = await mds("apply", str(folder), "--dry-run", "--detailed-exit-code")
    assert ended.code == 0


async def test_what_is_alike_for_many_is_told_once(mds: Mds, folder: Path) -> None:
    await mds("apply", str(folder), "--yes")
    (folder / "units" / "magnets.yaml").write_text(units("LAB/A", "LAB/B", "LAB/C", maximum="45"))
    ended = await mds("--as", "carla@desk", "apply", str(folder), "--dry-run")
    assert "~ 3 control units\n    LAB/A, LAB/B, LAB/C\n" in ended.out
    assert ended.out.count("40 → 45") == 1
    assert "Last changed by others: " in ended.out


async def test_only_what_a_scope_names_is_pruned(mds: Mds, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    await mds("apply", str(folder), "--yes")
    outside.write_text(units("OTHER/A"))
    await mds("apply", str(outside), "--yes")
    (folder / "units" / "magnets.yaml").write_text(units("LAB/A"))
    kept = await mds("apply", str(folder), "--dry-run")
    assert "Nothing to do." in kept.out
    pruned = told(await mds("apply", str(folder), "--prune", "--yes", "-o", "json"))
    removed = [each["name"] for each in pruned["items"] if each["action"] == "REMOVED"]
    assert removed == ["control_units/LAB/B", "control_units/LAB/C"]
    listed = told(await mds("list", "-o", "json"))
    assert [unit["name"] for unit in listed] == ["control_units/LAB/A", "control_units/OTHER/A"]
    assert (await mds("apply", str(outside), "--prune", "--dry-run")).code == 2


async def test_what_a_file_wants_gone_is_removed(mds: Mds, folder: Path) -> None:
    await mds("apply", str(folder), "--yes")
    ended = await mds("apply", "-", "--yes", stdin=b"remove: [control_units/LAB/B]\n")
    assert "- control_units/LAB/B" in ended.out
    assert "Done" in ended.out
    again = await mds("apply", "-", "--yes", stdin=b"remove: [control_units/LAB/B]\n")
    assert (again.code, "Nothing to do." in again.out) == (0, True)


async def test_problems_of_files_and_of_the_server_are_told_together_by_line(
    mds: Mds, folder: Path
) -> None:
    file = folder / "units" / "magnets.yaml"
    file.write_text(f"{units('LAB/A', maximum='-60')}- id: LAB/B\n  overides: []\n")
    ended = await mds("apply", str(folder), "--yes")
    assert ended.code == 1
    assert f"{file}:9 control_units[1].overides" in ended.out
    assert "perhaps 'overrides'" in ended.out
    # Only the server knows that the template's minimum is above this.
    assert f"{file}:7 control_units[0].overrides[0].maximum" in ended.out
    assert (await mds("export")).out == "{}\n"
    skipped = await mds("apply", str(folder), "--yes", "--skip-invalid")
    assert skipped.code == 0
    assert "Done at revision 1." in skipped.out


async def test_entries_that_cannot_be_read_are_not_pruned(mds: Mds, folder: Path) -> None:
    await mds("apply", str(folder), "--yes")
    (folder / "units" / "magnets.yaml").write_text("control_units: [{id: LAB/A, tenplate: T}]")
    ended = await mds("apply", str(folder), "--prune", "--skip-invalid", "--yes")
    assert ended.code == 2
    assert "tenplate" in ended.err
    assert len(told(await mds("list", "-o", "json"))) == 3


async def test_a_reason_that_a_policy_demands_is_asked_for(mds: Mds, folder: Path) -> None:
    policy = b"policies: [{id: lab, id_prefix: LAB/, requires_reason: true}]\n"
    assert (await mds("apply", "-", "--yes", stdin=policy)).code == 0
    ended = await mds("apply", str(folder), "--yes")
    assert ended.code == 1
    assert "REASON_REQUIRED" in ended.err
    assert "--reason" in ended.err
    assert (await mds("apply", str(folder), "--yes", "--reason", "first light")).code == 0
    (change, *_) = told(await mds("changes", "-o", "json"))
    assert change["reason"] == "first light"


async def test_without_a_terminal_it_must_be_said_that_nobody_is_asked(
    mds: Mds, folder: Path
) -> None:
    for output in ("text", "json"):
        ended = await mds("apply", str(folder), "-o", output)
        assert (ended.code, "no terminal to ask at" in ended.err) == (2, True), ended.err
    assert (await mds("export")).out == "{}\n"


async def test_nobody_needs_to_be_asked_where_nothing_can_be_done(mds: Mds, folder: Path) -> None:
    assert (await mds("apply", str(folder), "--yes")).code == 0
    again = await mds("apply", str(folder))
    assert (again.code, "Nothing to do." in again.out) == (0, True), again.err
    file = folder / "units" / "magnets.yaml"
    file.write_text("control_units: [{id: LAB/A, tenplate: T}]")
    wrong = await mds("apply", str(folder))
    assert (wrong.code, wrong.err) == (1, "")
    assert f"{file}:1 control_units[0].tenplate" in wrong.out
    unknown = await mds("delete", "control_units/LAB/NONE")
    assert (unknown.code, "LAB/NONE" in unknown.out + unknown.err) == (1, True), unknown
    assert "--yes" not in wrong.out + unknown.out + unknown.err


async def test_a_folder_without_files_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / ".hidden.yaml").write_text("{}")
    ended = await run_mds("apply", str(tmp_path), "--dry-run")
    assert ended.code == 2
    assert "no files that end in" in ended.err


class AtATerminal:
    """`mds` at a terminal of its own, with what somebody types there."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self.screen = ""

    async def run(self, *arguments: str, answer: str, after: str, meanwhile: Any = None) -> int:
        """Types an answer once `after` is on the screen; the exit code."""
        ours, theirs = pty.openpty()
        try:
            process = await asyncio.create_subprocess_exec(
                MDS, *arguments, stdin=theirs, stdout=theirs, stderr=theirs,
                env={**os.environ, "MDS_ADDRESS": self._replica.address, "TERM": "xterm"},
                start_new_session=True,
            )  # fmt: skip
            os.set_blocking(ours, False)
            async with asyncio.timeout(60):
                await self._until(ours, after)
                if meanwhile is not None:
                    await meanwhile()
                os.write(ours, answer.encode())
                code = await process.wait()
            self._read(ours)
            return code
        finally:
            os.close(theirs)
            os.close(ours)

    async def _until(self, ours: int, text: str) -> None:
        while text not in self.screen:
            self._read(ours)
            await asyncio.sleep(0.02)

    def _read(self, ours: int) -> None:
        try:
            self.screen += os.read(ours, 100_000).decode()
        except BlockingIOError:
            return


async def test_at_a_terminal_it_shows_the_plan_in_colours_and_asks(
    mds: Mds, folder: Path, replica: Replica
) -> None:
    terminal = AtATerminal(replica)
    assert await terminal.run("apply", str(folder), answer="n\n", after="Do this?") == 1
    assert "\x1b[32m" in terminal.screen
    assert (await mds("export")).out == "{}\n"
    terminal = AtATerminal(replica)
    assert await terminal.run("apply", str(folder), answer="y\n", after="Do this?") == 0
    assert "Done at revision 1." in terminal.screen


async def test_a_plan_that_has_moved_is_not_done_and_says_what_moved(
    mds: Mds, folder: Path, replica: Replica
) -> None:
    await mds("apply", str(folder), "--yes")
    (folder / "units" / "magnets.yaml").write_text(units("LAB/A", maximum="45"))

    async def somebody_else() -> None:
        other = units("LAB/A", maximum="30").encode()
        reason = ("--reason", "a hot magnet")
        await mds("--as", "carla@desk", "apply", "-", "--yes", *reason, stdin=other)

    terminal = AtATerminal(replica)
    code = await terminal.run(
        "apply", str(folder), answer="y\n", after="Do this?", meanwhile=somebody_else
    )
    assert code == 1
    assert "PLAN_MOVED" in terminal.screen
    assert "carla@desk changed it meanwhile: a hot magnet" in terminal.screen
    assert "Run it again" in terminal.screen
    exported = told(await mds("export", "-o", "json", "--prefix", "LAB/A"))
    assert exported["control_units"][0]["overrides"][0]["maximum"] == "30"


async def test_ctrl_c_at_the_question_is_no_traceback(
    mds: Mds, folder: Path, replica: Replica
) -> None:
    terminal = AtATerminal(replica)
    await terminal.run("apply", str(folder), answer="\x04", after="Do this?")
    assert "Aborted!" in terminal.screen
    assert "Traceback" not in terminal.screen
    assert (await mds("export")).out == "{}\n"


async def test_an_export_with_its_scope_applies_to_nothing_and_prunes_nothing(
    mds: Mds, folder: Path
) -> None:
    await mds("apply", str(folder), "--yes")
    for format in ("yaml", "json"):
        exported = (await mds("export", "--with-scope", "-o", format)).out
        ended = await mds("apply", "-", "--prune", "--yes", stdin=exported.encode())
        assert "Nothing to do." in ended.out, ended.out
    some = (await mds("export", "--with-scope", "--kind", "control_units", "--prefix", "LAB/")).out
    assert some.startswith("scope:\n- kinds:\n  - control_units\n  prefix: LAB/\n")


async def test_units_whose_files_name_no_version_follow_their_template(
    mds: Mds, folder: Path
) -> None:
    await mds("apply", str(folder), "--yes")
    file = folder / "laboratory.yaml"
    file.write_text(file.read_text().replace("maximum: '50'", "maximum: '60'"))
    await mds("apply", str(folder), "--yes")
    versions = told(await mds("template", "versions", TEMPLATE, "-o", "json"))
    assert [(each["version"], each["units"]) for each in versions] == [("1", "0"), ("2", "3")]


async def test_a_table_changes_fields_of_units_and_names_its_cells(
    mds: Mds, folder: Path, tmp_path: Path
) -> None:
    await mds("apply", str(folder), "--yes")
    table = tmp_path / "magnets.csv"
    table.write_text("id;current;current.maximum;label:rack\nLAB/A;12,5;;A4\nLAB/B;60;50;\n")
    ended = await mds("apply", str(table), "--yes")
    assert ended.code == 1
    assert f"{table}:2 row 2, column current" in ended.out
    assert f"{table}:3 row 3, column current" in ended.out
    table.write_text("id;current;current.maximum;label:rack\nLAB/A;12.5;;A4\nLAB/B;;(clear);\n")
    ended = await mds("apply", str(table), "--yes")
    assert ended.code == 0, ended.out
    assert "not set → A4" in ended.out
    written = (await mds("export", "-o", "csv")).out
    assert written.splitlines()[0].endswith("label:rack,current,current.maximum")
    again = await mds("apply", "-", "--dry-run", stdin=written.encode())
    assert "3 as they are" in again.out
