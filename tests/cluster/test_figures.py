"""Every part tells Prometheus how it is, in one set of labels; the reference says what."""

import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from shutil import which

import aiohttp
import pytest
from mds.v1.agent_pb2 import Agent, CreateAgentRequest
from mds.v1.unit_server_pb2 import CreateUnitServerRequest, Launch, UnitServer
from prometheus_client.parser import text_string_to_metric_families

from control_units.client import Client
from tests.cluster.test_alerts import UNPACKED
from tests.conftest import StartReplica
from tests.stages.nursery import MDS
from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.requirements import needs
from tests.stages.waiting import until

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "figures.md"
SERVER, WEB, AGENT, UNIT_SERVER = "Metadata server", "Web UI", "Agent", "Unit server"
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)
Told = dict[str, str]


@pytest.fixture
async def told(
    start_replica: StartReplica, sqlite_database: str, tmp_path: Path
) -> AsyncIterator[Told]:
    """What each part tells: one of each, where the agent has launched the unit server."""
    replica = await start_replica(sqlite_database)
    web, agent, unit_server = (free_port() for _ in range(3))
    await declare(replica.address, unit_server)
    common = {"MDS_ADDRESS": replica.address, "MDS_STATE_FOLDER": str(tmp_path / "state")}
    with ExitStack() as ending:
        for words, port in ((["web"], web), (["agent", "run", "HALL", "--on-exit", "stop"], agent)):
            environment = {**common, "MDS_METRICS_PORT": str(port), "MDS_WEB_PORT": "0"}
            log = tmp_path / f"{words[0]}.log"
            program = Program.mds(*words, log=log, environment=environment)
            ending.callback(program.clear)
            program.start()
        ports = {SERVER: replica.http, WEB: at(web), AGENT: at(agent), UNIT_SERVER: at(unit_server)}
        found: Told = {}

        async def all_tell() -> bool:
            for part, url in ports.items():
                found[part] = await scraped(url)
            return "mds_unit_server_attached{" in found[UNIT_SERVER] and (
                'mds_agent_in_touch{agent="HALL"} 1.0' in found[AGENT]
                and "mds_web_live 1.0" in found[WEB]
                and 'attached{unit_server="HALL/PS"} 1.0' in found[UNIT_SERVER]
            )

        await until(all_tell, within=40, what="figures of all parts")
        yield found
        await program.terminate(within=30)  # the agent ends what it has launched


def at(port: int) -> str:
    return f"http://127.0.0.1:{port}"


async def scraped(url: str) -> str:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as reply:
            return await reply.text()
    except aiohttp.ClientError:
        return ""


async def declare(address: str, port: int) -> None:
    launch = Launch(
        agent="agents/HALL",
        command=f"{MDS} simulate {{unit_server}}",
        environment={"MDS_METRICS_PORT": str(port)},
        auto_start=True,
    )
    unit_server = UnitServer(name="unit_servers/HALL/PS", launch=launch)
    async with Client(address) as client:
        await client.agents.CreateAgent(CreateAgentRequest(agent=Agent(name="agents/HALL")))
        await client.unit_servers.CreateUnitServer(CreateUnitServerRequest(unit_server=unit_server))


def documented() -> dict[str, dict[str, tuple[str, str]]]:
    """Of each part its figures, with their labels and what they say."""
    parts: dict[str, dict[str, tuple[str, str]]] = {}
    for section in PAGE.read_text().split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        parts[title] = {name: (labels, what) for name, labels, what in ROW.findall(text)}
    return parts


def explained() -> set[str]:
    """Labels that the table before all figures explains."""
    table = PAGE.read_text().partition("\n## ")[0]
    first = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    return {name for cell in first for name in re.findall(r"`(\w+)`", cell)} - {"label"}


def test_each_label_is_explained_once_for_all_figures() -> None:
    used = {
        name
        for figures in documented().values()
        for labels, _ in figures.values()
        for name in re.findall(r"`(\w+)`", labels)
    }
    assert used == explained() - {"instance", "job"}, "those two are Prometheus's own"


def exported(text: str) -> dict[str, tuple[set[str], str]]:
    """Our own figures in what a part tells."""
    found = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith("mds"):
            labels = {name for each in family.samples for name in each.labels} - {"le"}
            total = "_total" if family.type == "counter" else ""
            total = "_info" if family.type == "info" else total
            found[family.name.removesuffix(total) + total] = (labels, family.documentation)
    return found


async def test_all_parts_tell_what_the_reference_says_and_promtool_finds_nothing_wrong(
    told: Told,
) -> None:
    page = documented()
    for part, text in told.items():
        expected = page[part] if part == SERVER else page[part] | page["All clients"]
        real = {name: figure for name, figure in exported(text).items() if "_created" not in name}
        assert {name: what for name, (_, what) in expected.items()} == {
            name: what for name, (_, what) in real.items()
        }, part
        for name, (labels, _) in real.items():
            said = {each.strip("`") for each in expected[name][0].split(", ") if each}
            assert labels <= said, (part, name)
            assert not labels or labels == said, (part, name)
    promtool = which("promtool") or which("promtool", path=str(UNPACKED))
    needs("" if promtool else "promtool is not here (Debian: prometheus).")
    for part, text in told.items():
        checked = subprocess.run(
            [promtool or "", "check", "metrics"],
            input=text, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (checked.returncode, checked.stderr) == (0, ""), part
