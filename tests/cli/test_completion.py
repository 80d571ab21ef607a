"""What a shell offers when people press Tab: in a real bash, with a real server."""

import asyncio
import os
from pathlib import Path

from control_units.cli.completion.ids import grouped
from tests.cli.conftest import Mds
from tests.cli.test_import import small_facility, write
from tests.stages.nursery import BIN
from tests.stages.ports import free_port
from tests.stages.replica import Replica
from tests.stages.waiting import until

TRY = """
eval "$(mds completion bash)"
offered() {
  COMP_LINE="$1" COMP_POINT=${#1} COMP_WORDS=($1)
  _mds_completion
  (IFS='|'; echo "${COMPREPLY[*]}")
}
"""


async def offered(*lines: str, address: str) -> list[set[str]]:
    """What bash would offer at the end of each line."""
    script = TRY + "".join(f"offered '{line}'\n" for line in lines)
    process = await asyncio.create_subprocess_exec(
        "bash", "--norc", "-c", script,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "MDS_ADDRESS": address},
    )  # fmt: skip
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    return [set(line.split("|")) - {""} for line in out.decode().splitlines()]


async def test_bash_offers_commands_options_kinds_and_ids(
    mds: Mds, replica: Replica, tmp_path: Path
) -> None:
    assert (await mds("import", "chaos", str(write(tmp_path, small_facility())))).code == 0
    commands, options, kinds = await offered(
        "mds st", "mds list --pre", "mds list te", address=replica.address
    )
    assert commands == {"start", "stop"}
    assert options == {"--prefix"}
    assert kinds == {"templates"}

    async def ids_are_offered() -> bool:
        """Nobody waits long for them: on a busy machine it may take another try."""
        ids, of_kind, after_colon, of_filter = await offered(
            "mds show A/B/",
            "mds show scripts/",
            "mds template versions driver::pow",
            "mds list cu --filter state=RU",
            address=replica.address,
        )
        return (
            {"A/B/0", "A/B/1"} <= ids
            and of_kind == {"scripts/f.C"}
            and after_colon == {"powersupply::SCPowerSupplyControlUnit"}  # bash has the rest
            and of_filter == {"state=RUNNING"}
        )

    await until(ids_are_offered, within=60)


async def test_without_a_server_nothing_is_offered_and_nothing_is_said() -> None:
    (ids,) = await offered("mds show A/", address=f"127.0.0.1:{free_port()}")
    assert ids == set()


def test_of_many_ids_the_next_part_is_offered() -> None:
    ids = [f"RING/{what}/U{n}" for what in ("MAG", "DIA") for n in range(40)]
    assert grouped(ids, "RING/") == ["RING/MAG/", "RING/DIA/"]
    assert grouped(ids, "") == ["RING/"]
    assert grouped(ids[:5], "RING/") == ids[:5]
