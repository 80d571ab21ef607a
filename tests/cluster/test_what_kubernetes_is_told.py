"""What stands in one build fits together: what it refers to is there, who must may reach whom."""

import configparser
import re
import shutil
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from metadata_server.settings import Settings
from tests.cluster.manifests import (
    FOLDER,
    KUBE_SYSTEM,
    Elsewhere,
    Pod,
    Resource,
    built,
    may_send,
    pods,
)
from webui.server import DRAIN_SECONDS, SHUTDOWN_SECONDS

ROOT = FOLDER.parents[1]
PAGE = ROOT / "docs" / "how-to" / "run-on-kubernetes.md"
FRONT = FOLDER / "overlays" / "production" / "front" / "services.yaml"
INSTALLATIONS = {
    "development": ["overlays/development"],
    "blue": ["overlays/production/blue", "overlays/production/backup"],
    "green": ["overlays/production/green", "overlays/production/backup"],
}
"""What one namespace has; both colours may stand there at once, or one of them."""
OF_THE_SITE = {"mds-database": {"url"}, "mds-web": {"token"}}
"""Secrets of production, with their keys: the site makes them before."""


@pytest.fixture(params=INSTALLATIONS)
def installation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def resources(installation: str) -> list[Resource]:
    return list(chain.from_iterable(built(each) for each in INSTALLATIONS[installation]))


def secrets(resources: list[Resource], installation: str) -> dict[str, set[str]]:
    made = {
        each["metadata"]["name"]: {*each.get("data", {}), *each.get("stringData", {})}
        for each in resources
        if each["kind"] == "Secret"
    }
    return made if installation == "development" else made | OF_THE_SITE


def names(resources: list[Resource], kind: str) -> set[str]:
    return {each["metadata"]["name"] for each in resources if each["kind"] == kind}


def pod_of(resources: list[Resource], program: str) -> Pod:
    return next(
        each for each in pods(resources) if each.labels["app.kubernetes.io/name"] == program
    )


def references(spec: Any, kind: str) -> list[Any]:
    """Each value under that key, however deep."""
    if isinstance(spec, list):
        return [found for each in spec for found in references(each, kind)]
    if not isinstance(spec, dict):
        return []
    own = [spec[kind]] if kind in spec else []
    return own + [found for each in spec.values() for found in references(each, kind)]


def test_each_secret_that_a_pod_takes_is_there_with_its_key(
    installation: str, resources: list[Resource]
) -> None:
    there = secrets(resources, installation)
    taken = [
        (pod.name, found)
        for pod in pods(resources)
        for kind in ("secretKeyRef", "secretRef", "imagePullSecrets")
        for found in references(pod.spec, kind)
    ]
    assert taken
    for pod, found in taken:
        assert found["name"] in there, pod
        assert found.get("key", "") in there[found["name"]] | {""}, pod


def test_whatever_else_a_pod_takes_is_there(resources: list[Resource]) -> None:
    for pod in pods(resources):
        maps = references(pod.spec, "configMapKeyRef") + references(pod.spec, "configMapRef")
        assert {each["name"] for each in maps} <= names(resources, "ConfigMap")
        claims = references(pod.spec, "persistentVolumeClaim")
        assert {each["claimName"] for each in claims} <= names(resources, "PersistentVolumeClaim")
        accounts = set(references(pod.spec, "serviceAccountName"))
        assert accounts <= names(resources, "ServiceAccount")
        of_the_set = {
            each["metadata"]["name"]
            for each in chain(*references(resources, "volumeClaimTemplates"))
        }
        mounted = {each["name"] for each in chain(*references(pod.spec, "volumeMounts"))}
        assert mounted <= {each["name"] for each in pod.spec.get("volumes", [])} | of_the_set


def test_our_programs_are_all_of_one_release(installation: str, resources: list[Resource]) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    release = "dev" if installation == "development" else setup["metadata"]["version"]
    images = [one["image"] for pod in pods(resources) for one in pod.containers]
    assert {each for each in images if not each.startswith("mariadb:")} == {f"mds:{release}"}


@pytest.mark.parametrize("colour", ["blue", "green"])
@pytest.mark.parametrize("registry", ["", "registry.example.org:5000/controls/"])
def test_the_next_release_migrates_beside_the_job_of_the_last(
    colour: str, registry: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "kustomize"))
    overlay = f"overlays/production/{colour}"
    before = names(built(overlay), "Job")
    file = folder / overlay / "kustomization.yaml"
    next_release = f'newName: {registry}mds\n    newTag: "99.0.0"'
    file.write_text(re.sub('newTag: ".*"', next_release, file.read_text()))
    after = built(overlay, folder)
    assert names(after, "Job") == {f"migrate-99.0.0-{colour}"}
    assert not names(after, "Job") & before
    assert pod_of(after, "migrate").containers[0]["image"] == f"{registry}mds:99.0.0"


def test_whoever_needs_the_database_reaches_it(
    installation: str, resources: list[Resource]
) -> None:
    own = installation == "development"
    database = pod_of(resources, "database") if own else Elsewhere("10.20.0.5")
    needing = [each for each in pods(resources) if "MDS_DATABASE_URL" in each.environment]
    assert {each.labels["app.kubernetes.io/name"] for each in needing} == {
        "metadata-server", "migrate", "backup",
    }  # fmt: skip
    for pod in needing:
        assert may_send(resources, pod, database, 3306), pod.name
        assert may_send(resources, pod, KUBE_SYSTEM, 53, "UDP"), pod.name
    web = pod_of(resources, "web")
    assert not may_send(resources, web, database, 3306)
    if own:
        assert not may_send(resources, Elsewhere(), database, 3306)


def test_whoever_calls_a_metadata_server_reaches_it(resources: list[Resource]) -> None:
    server = pod_of(resources, "metadata-server")
    callers = [each for each in pods(resources) if "MDS_ADDRESS" in each.environment]
    assert callers
    for pod in callers:
        host, _, port = pod.environment["MDS_ADDRESS"]["value"].partition(":")
        assert host in names(resources, "Service")
        assert may_send(resources, pod, server, int(port)), pod.name
    allowed = Elsewhere(namespace=(("mds.v1/may-call", "true"),))
    assert may_send(resources, allowed, server, 7400)
    assert not may_send(resources, Elsewhere(), server, 7400)


def test_each_service_leads_to_a_port_of_a_pod() -> None:
    production = built("overlays/production/blue") + built("overlays/production/front")
    for resources in (built("overlays/development"), production):
        for service in (each for each in resources if each["kind"] == "Service"):
            selector = service["spec"]["selector"].items()
            selected = [each for each in pods(resources) if selector <= each.labels.items()]
            assert selected, service["metadata"]["name"]
            for port in service["spec"]["ports"]:
                target = port.get("targetPort", port["port"])
                assert all(each.port(target) for each in selected), service["metadata"]["name"]


def test_webhooks_reach_whoever_shall_be_told_and_nothing_link_local(
    resources: list[Resource],
) -> None:
    server, web = pod_of(resources, "metadata-server"), pod_of(resources, "web")
    for address in ("203.0.113.7", "10.1.2.3", "2001:db8::7"):
        for port in (80, 443):
            assert may_send(resources, server, Elsewhere(address), port)
            assert not may_send(resources, web, Elsewhere(address), port)
        assert not may_send(resources, server, Elsewhere(address), 22)
    assert not may_send(resources, server, Elsewhere("169.254.169.254"), 80)
    told = Elsewhere(namespace=(("mds.v1/may-be-told", "true"),))
    assert may_send(resources, server, told, 8099)
    assert not may_send(resources, server, KUBE_SYSTEM, 8099)


def test_whoever_serves_goes_on_until_nothing_new_is_sent_there(resources: list[Resource]) -> None:
    longest_s = {
        "metadata-server": Settings.model_fields["drain_s"].default,
        "web": SHUTDOWN_SECONDS + DRAIN_SECONDS,
    }
    for program, drain_s in longest_s.items():
        spec = pod_of(resources, program).spec
        word, pause_s = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
        assert word == "sleep"
        assert spec.get("terminationGracePeriodSeconds", 30) > float(pause_s) + drain_s + 5


def test_prometheus_finds_the_pods_under_the_names_that_alerts_know(
    resources: list[Resource],
) -> None:
    page = PAGE.read_text()
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()
    for program in ("metadata-server", "web"):
        assert f'job="{program}"' in alerts
        pod = pod_of(resources, program)
        assert pod.port(int(pod.annotations["prometheus.io/port"]))
        for label in (*pod.labels, *pod.annotations):
            named = label.translate(str.maketrans("./-", "___"))
            assert named.startswith("mds_v1") or named in page or label in page


def jobs_of_prometheus() -> list[dict[str, Any]]:
    """As the page about it says."""
    (text,) = re.findall(r"```yaml\n(scrape_configs:.*?)```", PAGE.read_text(), re.DOTALL)
    return list(yaml.safe_load(text)["scrape_configs"])


def test_alerts_find_some_figures_in_whatever_time_they_look_at() -> None:
    """With fewer than two a rate is nothing, and its alert silent; one may be late, or missing."""
    folder = ROOT / "deploy" / "prometheus"
    asked = re.findall(r"\[(\d+)([smd])\]", (folder / "alerts.yml").read_text())
    shortest_s = min(int(number) * {"s": 1, "m": 60, "d": 86_400}[unit] for number, unit in asked)
    common = yaml.safe_load((folder / "prometheus.yml").read_text())["global"]
    for each in (common, *jobs_of_prometheus()):
        assert int(each["scrape_interval"].removesuffix("s")) * 4 <= shortest_s


def test_prometheus_shows_its_token_to_metadata_servers_and_to_nobody_else() -> None:
    """In production they ask for one; who has it may read everything."""
    shown = {}
    for job in jobs_of_prometheus():
        ((selector,),) = (each["selectors"] for each in job["kubernetes_sd_configs"])
        program = selector["label"].partition("app.kubernetes.io/name=")[2]
        shown[program] = "credentials_file" in job.get("authorization", {})
    assert shown == {"metadata-server": True, "web": False}


def test_clients_find_each_server_by_the_name_that_the_page_about_it_says() -> None:
    text = (ROOT / "docs" / "how-to" / "find-replicas.md").read_text()
    (name,) = re.findall(r"service of Kubernetes: `dns:([\w-]+)`", text)
    services = [*yaml.safe_load_all((FOLDER / "base" / "metadata-server.yaml").read_text())]
    services += yaml.safe_load_all(FRONT.read_text())
    found = [
        each["spec"].get("clusterIP")
        for each in services
        if (each["kind"], each["metadata"]["name"]) == ("Service", name)
    ]
    assert found == ["None", "None"], "headless, of the base and of what is in service"


def test_large_files_have_room_on_their_way_through_the_page(resources: list[Resource]) -> None:
    mounts = pod_of(resources, "web").containers[0]["volumeMounts"]
    assert "/tmp" in {each["mountPath"] for each in mounts}


def test_the_page_about_it_makes_the_secrets_that_are_taken() -> None:
    text = PAGE.read_text()
    for name, keys in OF_THE_SITE.items():
        for key in keys:
            assert f"kubectl -n mds create secret generic {name} --from-file={key}=" in text


def test_what_clients_send_fits_into_the_memory_of_a_server(resources: list[Resource]) -> None:
    """While a bundle is read and written, it takes some twelve times what came over the wire."""
    servers = [
        (container, pod)
        for pod in pods(resources)
        for container in pod.containers
        if container.get("command", [])[:2] == ["mds", "serve"]
    ]
    assert servers
    for container, pod in servers:
        memory = container["resources"]["limits"]["memory"]
        assert memory.endswith("Gi")
        requests_mb = int(pod.environment["MDS_REQUEST_MB"]["value"])
        assert 16 * requests_mb <= 1024 * int(memory.removesuffix("Gi"))
