"""What kustomize builds of `deploy/kustomize`, and what its network policies let pass."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import yaml

from tests.stages.requirements import needs

FOLDER = Path(__file__).parents[2] / "deploy" / "kustomize"
OVERLAYS = [
    "base",
    "backup",
    "overlays/development",
    "overlays/production/blue",
    "overlays/production/green",
    "overlays/production/front",
    "overlays/production/backup",
]
Resource = dict[str, Any]
_TEMPLATES = {
    "Deployment": ("template",),
    "StatefulSet": ("template",),
    "Job": ("template",),
    "CronJob": ("jobTemplate", "spec", "template"),
}


@cache
def built(overlay: str, folder: Path = FOLDER) -> list[Resource]:
    needs("" if shutil.which("kubectl") else "kubectl is not here; Debian's own is too old.")
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder / overlay)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def named(overlay: str, kind: str, name: str) -> Resource:
    return next(
        each for each in built(overlay) if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )


@dataclass(frozen=True)
class Pod:
    """A pod as what makes it describes it; all of an overlay are in one namespace."""

    name: str
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: Resource

    @property
    def containers(self) -> list[Resource]:
        return [*self.spec["containers"], *self.spec.get("initContainers", [])]

    @property
    def environment(self) -> dict[str, Resource]:
        return {each["name"]: each for one in self.containers for each in one.get("env", [])}

    def port(self, port: int | str) -> int | None:
        """The number of one of its ports, by that or by its name."""
        ports = [each for one in self.containers for each in one.get("ports", [])]
        found = (each["containerPort"] for each in ports if port in each.values())
        return next(found, None)


def pods(resources: list[Resource]) -> Iterator[Pod]:
    for each in resources:
        if each["kind"] in _TEMPLATES:
            template = each["spec"]
            for step in _TEMPLATES[each["kind"]]:
                template = template[step]
            told = template["metadata"]
            yield Pod(
                each["metadata"]["name"],
                told["labels"],
                told.get("annotations", {}),
                template["spec"],
            )


@dataclass(frozen=True)
class Elsewhere:
    """Somebody who is no pod of the same namespace: by address, or in a namespace with labels."""

    address: str = "192.0.2.1"
    namespace: tuple[tuple[str, str], ...] = ()

    def port(self, port: int | str) -> int | None:
        return port if isinstance(port, int) else None


Peer = Pod | Elsewhere
KUBE_SYSTEM = Elsewhere(namespace=(("kubernetes.io/metadata.name", "kube-system"),))


def may_send(policies: list[Resource], sender: Peer, receiver: Peer, port: int, protocol: str = "TCP") -> bool:  # fmt: skip
    """Whether both sides let it pass: who is selected by no policy lets everything pass."""
    return _passes(policies, "egress", sender, receiver, (receiver, port, protocol)) and _passes(
        policies, "ingress", receiver, sender, (receiver, port, protocol)
    )


def _passes(
    policies: list[Resource], way: str, own: Peer, other: Peer, target: tuple[Peer, int, str]
) -> bool:
    if isinstance(own, Elsewhere):
        return True
    specs = [
        each["spec"]
        for each in policies
        if each["kind"] == "NetworkPolicy"
        and way.capitalize() in each["spec"]["policyTypes"]
        and _selects(each["spec"]["podSelector"], own.labels)
    ]
    rules = [rule for spec in specs for rule in spec.get(way, [])]
    return not specs or any(
        _is_among(other, rule.get("to" if way == "egress" else "from"))
        and _is_port(target, rule.get("ports"))
        for rule in rules
    )


def _is_port(target: tuple[Peer, int, str], ports: list[Resource] | None) -> bool:
    receiver, port, protocol = target
    return ports is None or any(
        (receiver.port(each["port"]), each.get("protocol", "TCP")) == (port, protocol)
        for each in ports
    )


def _is_among(peer: Peer, among: list[Resource] | None) -> bool:
    return among is None or any(_is(peer, each) for each in among)


def _is(peer: Peer, described: Resource) -> bool:
    if isinstance(peer, Pod):
        return "podSelector" in described and _selects(described["podSelector"], peer.labels)
    if "ipBlock" in described and not peer.namespace:
        address, block = ip_address(peer.address), described["ipBlock"]
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(each) for each in block.get("except", [])
        )
    return "namespaceSelector" in described and _selects(
        described["namespaceSelector"], dict(peer.namespace)
    )


def _selects(selector: Resource, labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in expressions)
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(each["key"]) in each["values"] for each in expressions
    )
