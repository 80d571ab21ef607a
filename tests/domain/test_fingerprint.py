"""Fingerprints agree with the vectors beside the protocol, which any program can use."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from metadata_server.domain.intent import fingerprint
from metadata_server.domain.intent.attribute import FACETS, Attribute, Direction, Driver, ValueType
from metadata_server.domain.intent.configuration import narrow
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template

FILE = Path(__file__).resolve().parents[2] / "proto/mds/v1/fingerprint_vectors.json"
VECTORS = json.loads(FILE.read_text(encoding="utf-8"))


def attribute_of(vector: Mapping[str, Any]) -> Attribute:
    return Attribute(
        vector["name"],
        Direction(vector.get("direction", "UNSPECIFIED").removeprefix("DIRECTION_")),
        ValueType(vector.get("type", "UNSPECIFIED").removeprefix("VALUE_TYPE_")),
        tuple(vector.get("shape", ())),
        vector.get("description", ""),
        {name: vector[name] for name in FACETS if name in vector},
        vector.get("maximum_size_bytes", 0),
        vector.get("mime_type", ""),
    )


def vectors(group: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", VECTORS[group], ids=lambda vector: vector["name"])


@vectors("canonical_texts")
def test_canonical_texts(vector: dict[str, Any]) -> None:
    assert fingerprint.canonical_text(vector["value"]) == vector["text"]


@vectors("datasets")
def test_dataset_hashes(vector: dict[str, Any]) -> None:
    attributes = [attribute_of(each) for each in vector["attributes"]]
    assert fingerprint.dataset_hash(attributes) == vector["hash"]
    assert fingerprint.dataset_hash(reversed(attributes)) == vector["hash"]


@vectors("configurations")
def test_configuration_fingerprints(vector: dict[str, Any]) -> None:
    told = vector["configuration"]
    attributes = [attribute_of(each) for each in told.get("attributes", ())]
    drivers = tuple(Driver(**each) for each in told.get("drivers", ()))
    parameters = told.get("parameters", {})
    dataset, unit = narrow(attributes, Template(id="T", drivers=drivers)), ControlUnit(id="U")
    found = (
        dataset.configuration(unit)
        if not parameters
        else dataset.configuration(ControlUnit(id="U", parameters=parameters))
    )
    assert (found.drivers, dict(found.parameters)) == (drivers, parameters)
    assert found.fingerprint == vector["fingerprint"]


@vectors("digests")
def test_digests(vector: dict[str, Any]) -> None:
    assert fingerprint.digest(vector["fingerprints"]) == vector["digest"]
