"""What docker-compose.yml says, as the processes of `make cluster` take it."""

import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml

from deploy.processes.cluster import layers
from deploy.processes.images import LEFT_OUT, PROGRAMS, Container, find
from deploy.processes.topology import COMPOSE, Service, read_topology
from tests.stages.requirements import needs

ROOT = COMPOSE.parent
PROMETHEUS = ROOT / "deploy" / "prometheus" / "prometheus.yml"
FACILITY = ROOT / "control_units" / "simulated" / "facility.yaml"
ENTRYPOINTS = {
    "grafana/grafana": ("/run.sh",),
    "haproxy": ("docker-entrypoint.sh",),
    "mds": (),
    "mds-galera": ("docker-entrypoint.sh",),
    "prom/prometheus": ("/bin/prometheus",),
}
"""What images have as ENTRYPOINT: it stands before `command`, unless `entrypoint` replaces it."""


@pytest.fixture
def services() -> dict[str, Service]:
    return {each.name: each for each in read_topology()}


def test_the_file_is_valid_by_the_compose_specification() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", COMPOSE],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_has_an_address_of_its_own_and_an_image_that_is_known(
    services: dict[str, Service],
) -> None:
    assert len({each.address for each in services.values()}) == len(services)
    assert {each.image for each in services.values()} <= PROGRAMS.keys() | LEFT_OUT


def test_what_is_needed_comes_first(services: dict[str, Service]) -> None:
    order = [name for layer in layers(list(services.values())) for name in layer]
    for service in services.values():
        assert all(order.index(each) < order.index(service.name) for each in service.needs)


def test_nothing_waits_until_each_of_several_is_well(services: dict[str, Service]) -> None:
    """With one of them out, the others would have nothing to do with them."""
    images = [each.image for each in services.values()]
    for service in services.values():
        waits = [each for each, until in service.needs.items() if until == "service_healthy"]
        several = [
            each
            for each in waits
            if services[each].health and images.count(services[each].image) > 1
        ]
        assert several == [], service.name


def test_another_release_of_the_servers_leaves_the_database_alone() -> None:
    said = yaml.safe_load(COMPOSE.read_text())["services"]
    by_release = {name for name, each in said.items() if "MDS_VERSION" in each["image"]}
    assert "migrate" in by_release
    assert not {each for each in by_release if each.startswith("galera")}


def test_nothing_is_published_beyond_loopback() -> None:
    ports = [
        line for line in COMPOSE.read_text().splitlines() if line.lstrip().startswith("ports:")
    ]
    published = [port for line in ports for port in line.partition("[")[2].rstrip("]").split(",")]
    assert published
    assert all(port.strip().startswith('"127.0.0.1:') for port in published)


def test_variables_are_filled_in_or_have_a_default() -> None:
    by_name = {each.name: each for each in read_topology(variables={"MDS_DATABASE_PASSWORD": "x"})}
    assert by_name["galera-1"].environment["MDS_DATABASE_PASSWORD"] == "x"
    url = by_name["metadata-server-1"].environment["MDS_DATABASE_URL"]
    assert url == "mysql+pymysql://mds:x@haproxy:3306/mds"


def test_what_people_changed_is_overwritten_only_where_nothing_is_there(
    services: dict[str, Service], tmp_path: Path
) -> None:
    """`mds show` ends with 1 where there is none; with others, nobody knows."""
    shell, flag, line = services["facility"].command
    for code, (ended, applied) in {0: (0, ""), 1: (0, "apply"), 3: (3, "")}.items():
        mds = tmp_path / "mds"
        mds.write_text(f'#!/bin/sh\n[ "$1" = show ] && exit {code}\necho "$1"\n')
        mds.chmod(0o755)
        done = subprocess.run(
            [shell, flag, line], env={"PATH": str(tmp_path)},
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        assert (done.returncode, done.stdout.strip()) == (ended, applied), done.stderr


def test_a_container_runs_the_words_that_its_process_runs(services: dict[str, Service]) -> None:
    assert all(
        "ENTRYPOINT" not in (ROOT / each).read_text()
        for each in ("Dockerfile", "deploy/galera/Dockerfile")
    )
    for name, said in yaml.safe_load(COMPOSE.read_text())["services"].items():
        image = services[name].image
        first = said.get("entrypoint", ENTRYPOINTS[image])
        runs = tuple(word.replace("$$", "$") for word in (*first, *said.get("command", ())))
        assert runs == (ENTRYPOINTS[image] if image in LEFT_OUT else services[name].command), name


def test_the_image_has_the_extra_that_traces_need() -> None:
    extras = re.findall(r"\*\.whl\)\[(\w+)\]", (ROOT / "Dockerfile").read_text())
    assert extras == ["traces"]
    known = metadata("control-system-metadata-server").get_all("Provides-Extra") or []
    assert set(extras) <= set(known), "pip only warns of an extra that there is none of"


def test_no_database_node_is_process_1_of_its_container() -> None:
    """It could not end itself there when its disk is full."""
    said = yaml.safe_load(COMPOSE.read_text())["services"]
    nodes = [each for each in said.values() if "/etc/mds/start.sh" in each.get("entrypoint", ())]
    assert len(nodes) == 3
    assert all(each.get("init") for each in nodes)


def test_the_balancer_has_the_time_that_it_gives_connections_when_it_ends(
    services: dict[str, Service],
) -> None:
    rules = (ROOT / "deploy" / "haproxy" / "haproxy.cfg").read_text()
    (hard_stop,) = re.findall(r"^ +hard-stop-after (\d+)s$", rules, re.MULTILINE)
    assert services["haproxy"].grace_s > int(hard_stop)


def test_paths_of_a_container_become_paths_here(
    services: dict[str, Service], tmp_path: Path
) -> None:
    container = Container(services["galera-2"], tmp_path)
    container.prepare()
    start = Path(container.command[-1])
    assert start.read_text() == Path("deploy/galera/start.sh").read_text()
    assert Path(container.environment["GALERA_DATA"]).is_dir()
    prometheus = Container(services["prometheus"], tmp_path).command
    assert f"--storage.tsdb.path={tmp_path}/prometheus/prometheus" in prometheus


def test_prometheus_asks_every_part_that_tells(services: dict[str, Service]) -> None:
    """A metadata server at its HTTP port, what has one of its own at that, and each unit server
    where its agent runs."""
    jobs = yaml.safe_load(PROMETHEUS.read_text())["scrape_configs"]
    asked = {
        job["job_name"]: {each for some in job["static_configs"] for each in some["targets"]}
        for job in jobs
    }
    facility = yaml.safe_load(FACILITY.read_text())
    launches = [each["launch"] for each in facility["unit_servers"]]
    told = {
        f"{each['agent'].lower()}:{each['environment']['MDS_METRICS_PORT']}" for each in launches
    }
    assert len(told) == len(launches)
    assert asked["unit-server"] == told
    tells = {
        f"{each.name}:{port}"
        for each in services.values()
        if (port := each.environment.get("MDS_METRICS_PORT"))
    }
    assert asked["web"] | asked["agent"] == tells
    assert not told & tells
    replicas = {each for each in services if each.startswith("metadata-server-")}
    assert asked["metadata-server"] == {f"{each}:7401" for each in replicas}


def test_the_balancer_takes_its_configuration(services: dict[str, Service], tmp_path: Path) -> None:
    program = find("haproxy")
    needs("" if program else "HAProxy is not installed (Debian: haproxy).")
    container = Container(services["haproxy"], tmp_path)
    container.prepare()
    done = subprocess.run(
        [program or "haproxy", "-c", "-f", container.command[-1]],
        env=container.environment, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr.lower()
