"""What docker-compose.yml says, as far as processes need it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Service:
    """One service, with one process.

    Attributes:
        name: which resolves to its address in the network of the cluster.
        image: what it would be run from, without the version.
        command: its words, paths as in the container.
        needs: services by the condition that they must have met before it starts.
        health: command that ends with 0 when it serves; empty: it is not asked.
        mounts: file or folder of this repository, by its path in the container.
        volumes: paths in the container that outlive its process.
        runs_once: it is done when it has ended with 0.
        grace_s: from SIGTERM to SIGKILL.
    """

    name: str
    image: str
    address: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    health: tuple[str, ...] = ()
    mounts: Mapping[str, Path] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    runs_once: bool = False
    grace_s: float = 10.0


def read_topology(
    path: Path = COMPOSE, variables: Mapping[str, str] | None = None
) -> list[Service]:
    """All services, in the order of the file.

    Args:
        variables: instead of what `${NAME:-default}` says by default.
    """
    text = path.read_text()
    filled = _VARIABLE.sub(
        lambda found: (variables or {}).get(found["name"], found["default"] or ""), text
    )
    services: Mapping[str, Mapping[str, Any]] = yaml.safe_load(filled)["services"]
    return [_service(name, said, path.parent) for name, said in services.items()]


def _service(name: str, said: Mapping[str, Any], folder: Path) -> Service:
    mounts: dict[str, Path] = {}
    volumes: list[str] = []
    for each in said.get("volumes", ()):
        source, target = each.removesuffix(":ro").split(":")
        if source.startswith("."):
            mounts[target] = folder / source
        else:
            volumes.append(target)
    return Service(
        name=name,
        image=said["image"].partition(":")[0],
        address=said["networks"]["facility"]["ipv4_address"],
        # In the file two signs stand for one that is no variable of the file's own.
        command=tuple(
            word.replace("$$", "$")
            for word in (*said.get("entrypoint", ()), *said.get("command", ()))
        ),
        environment={key: str(value) for key, value in said.get("environment", {}).items()},
        needs={needed: says["condition"] for needed, says in said.get("depends_on", {}).items()},
        health=_health(said.get("healthcheck", {}).get("test", ())),
        mounts=mounts,
        volumes=tuple(volumes),
        runs_once=said.get("restart") == "on-failure",
        grace_s=float(str(said.get("stop_grace_period", "10s")).removesuffix("s")),
    )


def _health(test: tuple[str, ...]) -> tuple[str, ...]:
    if not test:
        return ()
    kind, *words = test
    return ("/bin/sh", "-c", *words) if kind == "CMD-SHELL" else tuple(words)
