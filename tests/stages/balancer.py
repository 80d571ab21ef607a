"""HAProxy with the rules that it has in service, on ports of its own."""

import re
from collections.abc import Sequence
from pathlib import Path

from tests.stages.mariadb import find
from tests.stages.ports import free_port, is_open
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

RULES = Path(__file__).resolve().parents[2] / "deploy" / "haproxy" / "haproxy.cfg"


def what_is_missing() -> str:
    """Says what a balancer lacks here; empty: nothing."""
    return "" if find("haproxy") else "haproxy not found (apt-get install haproxy)"


class Balancer:
    """Sends calls to replicas whose ports stay the same, whichever release they are of.

    Args:
        part: so much less than in service are all numbers of connections.

    Attributes:
        address: for gRPC.
        http: for REST.
        database: port of the database.
    """

    def __init__(
        self,
        replicas: Sequence[Replica],
        folder: Path,
        databases: Sequence[int] = (),
        *,
        part: int = 1,
    ) -> None:
        places = {
            f"METADATA_SERVER_{number}": {"7400": replica.port, "7401": replica.http_port}
            for number, replica in enumerate(replicas, 1)
        } | {f"GALERA_{number}": {"3306": port} for number, port in enumerate(databases, 1)}
        self._ports: dict[str, int] = {}

        def place(found: re.Match[str]) -> str:
            name, port = found["name"] or "itself", found["port"]
            if name in places:
                return f"127.0.0.1:{places[name][port]}"
            # Of other services nobody is there; and where it listens.
            self._ports.setdefault(f"{name}:{port}", free_port())
            return f"127.0.0.1:{self._ports[f'{name}:{port}']}"

        rules = re.sub(
            r'"(?:\$\{(?P<name>\w+)\}|127\.0\.0\.1):(?P<port>\d+)"', place, RULES.read_text()
        )
        rules = re.sub(
            r"(?<=maxconn )\d+|(?<=conn_cur gt )\d+",
            lambda found: str(int(found[0]) // part),
            rules,
        )
        file = folder / "haproxy.cfg"
        file.write_text(rules)
        self.address = f"127.0.0.1:{self.port(7400)}"
        self.database = self.port(3306)
        self.http = f"http://127.0.0.1:{self.port(7401)}"
        command = [find("haproxy") or "haproxy", "-db", "-f", str(file)]
        self.program = Program(command, log=folder / "haproxy.log")

    def port(self, number: int) -> int:
        """Where it listens, instead of at one of its ports in service."""
        return self._ports[f"MDS_LISTEN:{number}"]

    async def start(self) -> None:
        self.program.start()
        await until(lambda: is_open(self.port(7400)), what="the balancer")

    def is_up(self, number: int) -> bool:
        """Whether it last said that it sends calls to one of the servers, from 1."""
        server = f"Server metadata_servers_http/metadata-server-{number} is "
        said = [line for line in self.program.output().splitlines() if server in line]
        return not said or f"{server}UP" in said[-1]
