"""The fingerprints of the SDK against the vectors beside the protocol."""

import json
from importlib import resources
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from mds.v1 import configuration_pb2, dataset_pb2

from control_units.configuration import Configuration, description, effective
from control_units.fingerprint import canonical_text, dataset_hash, digest, fingerprint

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (resources.files("mds.v1") / "fingerprint_vectors.json").read_text(encoding="utf-8")
)


def vectors(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", VECTORS[kind], ids=lambda vector: vector["name"])


@vectors("canonical_texts")
def test_canonical_text(vector: dict[str, Any]) -> None:
    assert canonical_text(vector["value"]) == vector["text"]


@vectors("datasets")
def test_dataset_hash(vector: dict[str, Any]) -> None:
    attributes = [ParseDict(each, dataset_pb2.Attribute()) for each in vector["attributes"]]
    assert dataset_hash(description(each) for each in attributes) == vector["hash"]


@vectors("configurations")
def test_configuration_fingerprint(vector: dict[str, Any]) -> None:
    told = ParseDict(vector["configuration"], configuration_pb2.Configuration())
    dataset = {each.name: description(each) for each in told.attributes}
    assert fingerprint(effective(dataset, told)) == vector["fingerprint"]


@vectors("digests")
def test_digest_of_a_unit_server(vector: dict[str, Any]) -> None:
    assert digest(vector["fingerprints"]) == vector["digest"]


def test_an_empty_configuration_has_a_fingerprint() -> None:
    assert fingerprint(Configuration()) == VECTORS["configurations"][0]["fingerprint"]
