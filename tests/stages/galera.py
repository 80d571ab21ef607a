"""Nodes of Galera of our own, on loopback. One is a cluster by itself: what a cluster says of itself,
and its limits of how large a transaction may be, hold for one node, too."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from typing_extensions import override

from tests.stages import mariadb
from tests.stages.mariadb import MariaDB
from tests.stages.ports import free_port

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
# Also where the cluster of plain processes has unpacked what is not installed.
UNPACKED = Path(__file__).parents[2] / ".cache" / "debian" / "usr" / "bin"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:{UNPACKED}"
# Who is lost is given up within seconds.
SOON_LOST = (
    "evs.keepalive_period=PT0.2S;evs.inactive_check_period=PT0.1S;"
    "evs.suspect_timeout=PT1S;evs.inactive_timeout=PT3S;evs.install_timeout=PT3S"
)


def what_is_missing(*, join: bool = False) -> str:
    """Says what a Galera stage lacks here; empty: nothing."""
    if missing := mariadb.what_is_missing():
        return missing
    if not PROVIDER.exists():
        return f"no {PROVIDER} (apt-get install galera-4)"
    lacks = [name for name in ("rsync", "wsrep_sst_rsync") if not shutil.which(name, path=PATH)]
    return (
        f"{' and '.join(lacks)} not found (apt-get install mariadb-server rsync)"
        if join and lacks
        else ""
    )


class Galera(MariaDB):
    """A node that founds a cluster at its start, or joins another one's. It is not made to be killed
    and started again.

    Args:
        founder: the node whose cluster it joins, which sends it everything.
        timers: of the group, as this node has them.
    """

    def __init__(
        self, folder: Path, founder: "Galera | None" = None, *, timers: str = SOON_LOST
    ) -> None:
        self._timers = timers
        self._group = free_port()
        self._founder = founder
        super().__init__(folder)
        self._program.environment["PATH"] = PATH

    @override
    def _command(self) -> list[str]:
        provider_options = (
            f"gmcast.listen_addr=tcp://127.0.0.1:{self._group}",
            f"ist.recv_addr=127.0.0.1:{free_port()}",
            f"gcache.dir={self.data}",
            "gcache.size=32M",
            self._timers,
        )
        member = f"127.0.0.1:{self._founder._group}" if self._founder else ""
        return [
            *super()._command(),
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
            "--wsrep-on=ON",
            f"--wsrep-provider={PROVIDER}",
            f"--wsrep-provider-options={';'.join(provider_options)}",
            f"--wsrep-cluster-address=gcomm://{member}",
            "--wsrep-node-address=127.0.0.1",
            f"--wsrep-node-incoming-address=127.0.0.1:{self.port}",
            f"--wsrep-node-name=node-{self.port}",
            "--wsrep-sst-method=rsync",
            f"--wsrep-sst-receive-address=127.0.0.1:{free_port()}",
            *([] if member else ["--wsrep-new-cluster"]),
        ]

    def join(self) -> None:
        """Starts it with nothing, and returns when it has everything."""
        self.data.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(
                self.data, "nobody"
            )  # as whom rsync, begun by root, writes what it is sent
        self.start()

    def status(self, name: str) -> str:
        """What it says of itself; empty: nothing."""
        said = {str(key): str(value) for key, value in self.execute(f"SHOW STATUS LIKE '{name}'")}
        return said.get(name, "")


@contextmanager
def two_nodes(folder: Path, *, timers: str = SOON_LOST) -> Iterator[tuple[Galera, Galera]]:
    """The founder of a cluster, and one that has joined it.

    Args:
        timers: of the one that has joined.
    """
    with ExitStack() as ending:
        for name in ("first", "second"):
            (folder / name).mkdir()
        first = Galera(folder / "first")
        ending.callback(first.clear)
        first.install()
        second = Galera(folder / "second", founder=first, timers=timers)
        ending.callback(second.clear)
        second.join()
        yield first, second
