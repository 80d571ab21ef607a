"""One Galera node of our own, a cluster by itself: what a cluster says of itself, and its limits of
how large a transaction may be, hold for one node, too."""

from pathlib import Path

from typing_extensions import override

from tests.stages import mariadb
from tests.stages.mariadb import MariaDB
from tests.stages.ports import free_port

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")


def what_is_missing() -> str:
    """Says what a Galera stage lacks here; empty: nothing."""
    there = PROVIDER.exists()
    return mariadb.what_is_missing() or (
        "" if there else f"no {PROVIDER} (apt-get install galera-4)"
    )


class Galera(MariaDB):
    """A server that founds its cluster at its start: it is not made to be killed and restarted."""

    @override
    def _command(self) -> list[str]:
        group, transfer = free_port(), free_port()
        provider_options = (
            f"gmcast.listen_addr=tcp://127.0.0.1:{group}",
            f"ist.recv_addr=127.0.0.1:{transfer}",
            f"gcache.dir={self.data}",
            "gcache.size=32M",
        )
        return [
            *super()._command(),
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
            "--wsrep-on=ON",
            f"--wsrep-provider={PROVIDER}",
            f"--wsrep-provider-options={';'.join(provider_options)}",
            "--wsrep-cluster-address=gcomm://",
            "--wsrep-node-address=127.0.0.1",
            "--wsrep-new-cluster",
        ]

    @property
    def is_primary(self) -> bool:
        said = self.execute("SHOW STATUS LIKE 'wsrep_cluster_status'")
        return said == (("wsrep_cluster_status", "Primary"),)
