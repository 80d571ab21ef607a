"""Fingerprints of what units use; the rules stand in mds/v1/fingerprint.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from control_units.attributes import Description, Direction
from control_units.configuration import Configuration
from control_units.control_unit import Driver
from control_units.values import ValueType

PREFIX = "v1:"


def canonical_text(value: object) -> str:
    """JSON without white space, keys sorted by code point, non-ASCII as itself."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def dataset_hash(attributes: Iterable[Description]) -> str:
    """SHA-256 in hexadecimal of what a class publishes."""
    return _sha256(canonical_text({"attributes": _attributes(attributes, for_people=True)}))


def fingerprint(configuration: Configuration) -> str:
    """`v1:` and SHA-256 in hexadecimal of what a unit uses."""
    content = {
        "attributes": _attributes(configuration.attributes.values(), for_people=False),
        "drivers": [_driver(driver) for driver in configuration.drivers],
        "parameters": dict(configuration.parameters),
    }
    return PREFIX + _sha256(canonical_text(content))


def digest(fingerprints: Mapping[str, str]) -> str:
    """SHA-256 in hexadecimal over the units of a unit server, by their ids."""
    lines = sorted((id.encode(), text) for id, text in fingerprints.items())
    found = hashlib.sha256()
    for id, text in lines:
        found.update(b"%s=%s\n" % (id, text.encode()))
    return found.hexdigest()


def _attributes(attributes: Iterable[Description], *, for_people: bool) -> dict[str, object]:
    return {each.name: _attribute(each, for_people=for_people) for each in attributes}


def _attribute(description: Description, *, for_people: bool) -> dict[str, str]:
    content = dict(description.facets)
    if description.direction is not Direction.UNSPECIFIED:
        content["direction"] = description.direction.name
    if description.type is not ValueType.UNSPECIFIED:
        content["type"] = description.type.name
    if description.shape:
        content["shape"] = "x".join(map(str, description.shape))
    if description.maximum_size_bytes:
        content["maximum_size_bytes"] = str(description.maximum_size_bytes)
    if for_people and description.description:
        content["description"] = description.description
    if for_people and description.mime_type:
        content["mime_type"] = description.mime_type
    return content


def _driver(driver: Driver) -> dict[str, object]:
    content: dict[str, object] = {"name": driver.name}
    if driver.version:
        content["version"] = driver.version
    if driver.init_parameter:
        content["init_parameter"] = driver.init_parameter
    if driver.properties:
        content["properties"] = dict(driver.properties)
    return content


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
