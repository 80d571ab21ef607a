"""What a real zsh and a real fish make of Tab, and what `mds` itself answers them."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.conftest import run_mds
from tests.cli.pseudo_terminal import PseudoTerminal, on_a_terminal
from tests.cli.test_import import small_facility, write
from tests.stages.nursery import BIN
from tests.stages.replica import Replica
from tests.stages.requirements import needs
from tests.stages.waiting import until

TRY_ZSH = """\
autoload -U compinit && compinit -D
eval "$(mds completion zsh)"
tell() { print -r -- "$BUFFER|" >>$TOLD; BUFFER= }
zle -N tell; bindkey '^X^T' tell
all() { compstate[insert]=all }
offer() { comppostfuncs=(all); zle complete-word }
zle -N offer; bindkey '^X^A' offer
print -r -- ready >>$TOLD
"""
TAB, ALL, TELL = "\t", "\x18\x01", "\x18\x14"


def needs_shell(name: str) -> None:
    needs("" if shutil.which(name) else f"{name} is not installed (Debian: {name}).")


@pytest.fixture(scope="module")
def facility(
    lasting_replica: Replica, warm_bin: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The environment of a shell that asks a server with 40 units."""
    file = write(tmp_path_factory.mktemp("facility"), small_facility(units=40))
    address = {"MDS_ADDRESS": lasting_replica.address}
    imported = asyncio.run(run_mds("import", "chaos", str(file), environment=address))
    assert imported.code == 0, imported.err
    return {"PATH": f"{warm_bin}:{BIN}:{os.environ['PATH']}", **address}


class Zsh:
    """A zsh that somebody types into.

    Attributes:
        told: file of the lines that its editor has made of what was typed.
    """

    def __init__(self, terminal: PseudoTerminal, told: Path) -> None:
        self._terminal = terminal
        self._told = told

    async def makes(self, typed: str, key: str = TAB) -> str:
        """The line after a key was pressed, and where the cursor then is: `|`."""
        before = len(self.lines())
        self._terminal.press(f"{typed}{key}{TELL}")
        await until(lambda: len(self.lines()) > before, within=30)
        return self.lines()[-1]

    def lines(self) -> list[str]:
        self._terminal.read()
        return self._told.read_text().splitlines()


@pytest.fixture
async def zsh(facility: dict[str, str], tmp_path: Path) -> AsyncIterator[Zsh]:
    needs_shell("zsh")
    told, start = tmp_path / "told", tmp_path / "start.zsh"
    told.touch()
    start.write_text(TRY_ZSH)
    own = {"TOLD": str(told), "ZDOTDIR": str(tmp_path), "TERM": "dumb"}
    with on_a_terminal("-f", "-i", environment=facility | own, program="zsh") as terminal:
        terminal.press(f". {start}\n")
        shell = Zsh(terminal, told)
        await until(lambda: shell.lines() == ["ready"], within=30)
        yield shell


async def test_zsh_completes_commands_options_kinds_and_ids(zsh: Zsh) -> None:
    assert await zsh.makes("mds st", ALL) == "mds start stop |"
    assert await zsh.makes("mds list --pre") == "mds list --prefix |"
    assert await zsh.makes("mds list te") == "mds list templates |"

    async def ids_are_completed() -> bool:
        """Nobody waits long for them: on a busy machine it may take another try."""
        return (
            await zsh.makes("mds show A/B/39") == "mds show A/B/39 |"
            and await zsh.makes("mds template versions driver::pow")
            == "mds template versions driver::powersupply::SCPowerSupplyControlUnit |"
            and await zsh.makes("mds list cu --filter 'zone=A sta")
            == "mds list cu --filter 'zone=A state' |"
        )

    await until(ids_are_completed, within=60)


async def test_in_zsh_a_part_of_an_id_gets_no_space(zsh: Zsh) -> None:
    async def part_is_completed() -> bool:
        return await zsh.makes("mds show A/") == "mds show A/B/|"

    await until(part_is_completed, within=60)


async def offered_by_fish(line: str, environment: dict[str, str]) -> list[str]:
    needs_shell("fish")
    process = await asyncio.create_subprocess_exec(
        "fish", "--no-config", "-c", "mds completion fish | source; complete -C $LINE",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment, "LINE": line},
    )  # fmt: skip
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    return out.decode().splitlines()


async def test_fish_offers_commands_options_kinds_and_ids(facility: dict[str, str]) -> None:
    start, stop = await offered_by_fish("mds st", facility)
    assert start.split("\t")[0] == "start"
    assert stop.split("\t")[0] == "stop"
    (option,) = await offered_by_fish("mds list --pre", facility)
    assert option == "--prefix\tOnly ids that begin with this text."

    async def ids_are_offered() -> bool:
        return await offered_by_fish("mds show A/", facility) == ["A/B/"] and await offered_by_fish(
            "mds list cu --filter 'zone=A sta", facility
        ) == ["zone=A state"]

    await until(ids_are_offered, within=60)


async def test_fish_shows_all_that_is_said_of_a_word(facility: dict[str, str]) -> None:
    assert any("," in line for line in await offered_by_fish("mds list --", facility))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_the_script_of_each_shell_is_one(shell: str, tmp_path: Path) -> None:
    ended = await run_mds("completion", shell)
    assert (ended.code, "_MDS_COMPLETE" in ended.out) == (0, True)
    if not shutil.which(shell):
        return
    script = tmp_path / "script"
    script.write_text(ended.out)
    process = await asyncio.create_subprocess_exec(shell, "-n", str(script))
    assert await process.wait() == 0


async def test_zsh_and_fish_are_answered_in_their_own_way() -> None:
    for shell, word in (("zsh", "1"), ("fish", "comp")):
        environment = {
            "_MDS_COMPLETE": f"{shell}_complete", "COMP_WORDS": "mds comp", "COMP_CWORD": word
        }  # fmt: skip
        ended = await run_mds(environment=environment)
        assert "completion" in ended.out, ended
