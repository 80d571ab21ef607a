"""How a service of an image runs as a process of this machine."""

import os
import re
import shutil
import sys
from pathlib import Path

from deploy.processes.topology import Service

# Programs of each image, and Debian's package that has them.
PROGRAMS = {
    "mds-galera": {
        "mariadbd": "mariadb-server-core",
        "mariadb-install-db": "mariadb-server-core",
        "mariadb": "mariadb-client-core",
        "rsync": "rsync",
        "wsrep_sst_rsync": "mariadb-server",
    },
    "haproxy": {"haproxy": "haproxy"},
    "mds": {"curl": "curl"},
    "prom/prometheus": {"prometheus": "prometheus"},
}
GALERA = Path("/usr/lib/galera/libgalera_smm.so")
# Where tools/debian_packages.sh puts what would be a service if it were installed.
_UNPACKED = Path(__file__).parents[2] / ".cache" / "debian" / "usr" / "bin"
_PATH = (
    f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    f":{_UNPACKED}"
)
# Writable folders of a container that are no volumes.
_SCRATCH = {"mds-galera": ("/run/mds",)}
# Packages that nobody can install here: their services are left out, and it is said.
LEFT_OUT = frozenset({"grafana/grafana"})


def find(program: str) -> str | None:
    return shutil.which(program, path=_PATH)


def what_is_missing(services: list[Service]) -> str:
    """What keeps the services from running here; empty: nothing."""
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    wanted = {"ip": "iproute2"}
    for service in services:
        wanted |= PROGRAMS.get(service.image, {})
    packages = {package for program, package in wanted.items() if find(program) is None}
    if any(service.image == "mds-galera" for service in services) and not GALERA.exists():
        packages.add("galera-4")
    return f"apt-get install {' '.join(sorted(packages))}" if packages else ""


class Container:
    """A service with the paths of this machine in place of those of its container.

    Args:
        folder: where its volumes and its log are.
    """

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.log = folder / f"{service.name}.log"
        self._copies = {
            target: folder / "mounts" / service.name / target.strip("/").replace("/", "-")
            for target in service.mounts
        }
        self._paths = {
            **{target: str(copy) for target, copy in self._copies.items()},
            **{
                target: str(folder / service.name / target.strip("/").replace("/", "-"))
                for target in (*service.volumes, *_SCRATCH.get(service.image, ()))
            },
        }
        self._writable = [self._paths[each] for each in service.volumes]

    def prepare(self) -> None:
        """Makes its volumes, empty ones at first, and copies what is mounted: another user than
        this one may have to read it."""
        for path in self._writable:
            Path(path).mkdir(parents=True, exist_ok=True)
        for target, copy in self._copies.items():
            shutil.copytree(self.service.mounts[target], copy, dirs_exist_ok=True)

    @property
    def command(self) -> list[str]:
        return [self._placed(word) for word in self.service.command]

    @property
    def health(self) -> list[str]:
        return [self._placed(word) for word in self.service.health]

    @property
    def environment(self) -> dict[str, str]:
        own = {key: self._placed(value) for key, value in self.service.environment.items()}
        fixed = {"PATH": _PATH, "HOME": str(self.log.parent), "LANG": "C.UTF-8"}
        as_nobody = {"GALERA_USER": "nobody"} if self.service.image == "mds-galera" else {}
        return fixed | as_nobody | own

    def _placed(self, text: str) -> str:
        """The same with paths of this machine; a longer path wins over one that it begins with."""
        wanted = sorted(self._paths, key=len, reverse=True)
        pattern = "|".join(f"{re.escape(each)}(?![\\w.-])" for each in wanted)
        return re.sub(pattern, lambda found: self._paths[found[0]], text) if wanted else text
