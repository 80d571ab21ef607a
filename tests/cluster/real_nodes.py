"""Three real nodes, each started by `deploy/galera/start.sh`, on addresses of loopback."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import psutil

from tests.cluster.galera_node import START
from tests.stages.galera import PATH
from tests.stages.waiting import until

SETTINGS = START.with_name("node.cnf")
PORT = 33_077
GROUP_PORT = 4567
UP_WITHIN_S = 150.0
DOWN_WITHIN_S = 60.0
SMALLER = {
    r"innodb_buffer_pool_size = .*": "innodb_buffer_pool_size = 24M",
    r"innodb_log_file_size = .*": "innodb_log_file_size = 8M",
    r"gcache\.size=256M;": "gcache.size=16M;",
}
# Of the group: on a busy machine nobody shall be given up whom the test has not ended.
PATIENT = {
    "suspect_timeout=PT1S": "suspect_timeout=PT5S",
    "=PT5S;evs.install": "=PT15S;evs.install",
}


class RealNode:
    """One node; its data stays from start to start.

    Attributes:
        address: its own, and its name.
    """

    def __init__(self, folder: Path, address: str, all_of_them: tuple[str, ...]) -> None:
        self.address = address
        self.folder = folder / address
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._nodes = all_of_them
        self._process: subprocess.Popen[bytes] | None = None
        self.folder.mkdir()
        self.folder.chmod(0o755)
        (self.folder / "node.cnf").write_text(self._settings())
        self.log.touch()

    def _settings(self) -> str:
        text = SETTINGS.read_text()
        for pattern, instead in SMALLER.items():
            text = re.sub(pattern, instead, text)
        for said, instead in PATIENT.items():
            text = text.replace(said, instead)
        listens = f"gmcast.listen_addr=tcp://{self.address}:{GROUP_PORT};ist.recv_addr={self.address}:4568"
        return text.replace('provider_options = "', f'provider_options = "{listens};')

    @property
    def told(self) -> str:
        """What its latest start has said."""
        return self.log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.is_running
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/bash", START],
                env={
                    "PATH": PATH,
                    "HOME": str(self.folder),
                    "GALERA_NODE": self.address,
                    "GALERA_NODES": ",".join(self._nodes),
                    "GALERA_CONFIG": str(self.folder / "node.cnf"),
                    "GALERA_DATA": str(self.data),
                    "GALERA_RUN": str(self.folder / "run"),
                    "GALERA_SETUP": str(START.with_name("setup.sql")),
                    "GALERA_USER": "nobody",
                    "GALERA_PORT": str(PORT),
                    "MDS_DATABASE_PASSWORD": "x",
                },
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def ask_to_stop(self) -> None:
        """As a container engine does: the script alone hears of it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    async def ended(self) -> None:
        assert self._process is not None
        await asyncio.to_thread(self._process.wait, DOWN_WITHIN_S)

    def cut_the_power(self) -> None:
        """Nothing of it hears anything more."""
        assert self._process is not None
        if self.is_running:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=DOWN_WITHIN_S)

    def sql(self, statement: str) -> str:
        """What it answers; empty: nothing."""
        asked = subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.folder}/run/mariadbd.sock", "--batch",
             "--skip-column-names", f"--execute={statement}"],
            capture_output=True, text=True, check=False, timeout=30, env={"PATH": PATH},
        )  # fmt: skip
        return asked.stdout.strip() if asked.returncode == 0 else ""

    def status(self, name: str) -> str:
        return self.sql(f"SHOW STATUS LIKE '{name}'").partition("\t")[2]

    def is_synced(self) -> bool:
        return (
            self.status("wsrep_local_state_comment") == "Synced"
            and self.status("wsrep_cluster_status") == "Primary"
        )

    def listens_to_the_group(self) -> bool:
        return any(
            each.laddr == (self.address, GROUP_PORT) and each.status == psutil.CONN_LISTEN
            for each in psutil.net_connections("tcp4")
        )


class RealNodes:
    """
    Attributes:
        nodes: in the order of their list.
    """

    def __init__(self, folder: Path) -> None:
        # Tests of another checkout may run at the same time.
        place = f"127.{os.getpid() % 250 + 2}.{os.getpid() // 250 % 250}"
        addresses = tuple(f"{place}.{number}" for number in (11, 12, 13))
        self.nodes = [RealNode(folder, each, addresses) for each in addresses]

    async def up(self, *nodes: RealNode) -> None:
        """Starts those, or whichever do not run, as an engine does that starts again what ends; and
        returns when they serve."""
        wanted = list(nodes) or self.nodes

        def all_serve() -> bool:
            for each in wanted:
                if not each.is_running:
                    each.start()
            return all(each.is_synced() for each in wanted)

        await until(all_serve, within=UP_WITHIN_S, what="all that were started to serve")

    async def in_good_order(self, *nodes: RealNode) -> None:
        """Those are asked to stop in the same moment, and have ended."""
        for each in nodes:
            each.ask_to_stop()
        await asyncio.gather(*(each.ended() for each in nodes))

    def cut_the_power(self) -> None:
        for each in self.nodes:
            if each.is_running:
                each.cut_the_power()

    def keep(self) -> None:
        """What they have now is what `bring_back` brings back."""
        for each in self.nodes:
            _copy(each.data, each.folder / "kept")

    def bring_back(self) -> None:
        for each in self.nodes:
            shutil.rmtree(each.data)
            _copy(each.folder / "kept", each.data)


def _copy(source: Path, target: Path) -> None:
    """With its owners."""
    subprocess.run(["cp", "--archive", source, target], check=True, timeout=60)
