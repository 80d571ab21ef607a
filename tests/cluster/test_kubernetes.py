"""What is applied to Kubernetes: built by kustomize, and valid by the schema of its version."""

import kubernetes_validate
import pytest

from tests.cluster.manifests import OVERLAYS, built, named, pods

VERSION = "1.30"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_is_valid(overlay: str) -> None:
    for resource in built(overlay):
        kubernetes_validate.validate(resource, VERSION, strict=True)


def test_blue_and_green_share_nothing_but_secrets_and_each_shows_its_own_servers() -> None:
    names = {
        colour: {
            (each["kind"], each["metadata"]["name"])
            for each in built(f"overlays/production/{colour}")
        }
        for colour in ("blue", "green")
    }
    assert not names["blue"] & names["green"]
    web = named("overlays/production/green", "Deployment", "web-green")
    environment = {
        each["name"]: each.get("value")
        for each in web["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert environment["MDS_ADDRESS"] == "metadata-server-green:7400"


def test_all_that_is_in_service_has_one_colour() -> None:
    front = built("overlays/production/front")
    chosen = named("overlays/production/front", "ConfigMap", "in-service")["data"]["colour"]
    selected = {
        each["spec"]["selector"]["mds.v1/colour"] for each in front if each["kind"] == "Service"
    }
    assert selected == {chosen}
    pods = named(f"overlays/production/{chosen}", "Deployment", f"metadata-server-{chosen}")
    labels = pods["spec"]["template"]["metadata"]["labels"]
    service = named("overlays/production/front", "Service", "metadata-server")
    assert service["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_program_of_ours_may_more_than_it_needs(overlay: str) -> None:
    for pod in pods(built(overlay)):
        if pod.labels["app.kubernetes.io/name"] == "database":
            continue
        assert pod.spec["securityContext"]["runAsNonRoot"]
        assert pod.spec["automountServiceAccountToken"] is False
        for container in pod.containers:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_who_is_asked_for_in_production_shows_a_token() -> None:
    server = named("overlays/production/blue", "Deployment", "metadata-server-blue")
    environment = server["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "MDS_AUTHENTICATION", "value": "token"} in environment
    assert "MDS_INSECURE" not in {each["name"] for each in environment}
