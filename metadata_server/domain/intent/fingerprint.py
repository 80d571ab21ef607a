"""Dataset hashes, fingerprints of configurations, digests: the rules of
`proto/mds/v1/fingerprint.md`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from metadata_server.domain.intent.attribute import Attribute, Direction, Driver, ValueType

canonical_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
quoted = json.encoder.encode_basestring
"""A text as canonical JSON writes it."""

SCHEME = "v1:"


def dataset_hash(attributes: Iterable[Attribute]) -> str:
    """SHA-256 of a dataset's content, in hexadecimal; the order given makes no difference."""
    members = {each.name: described(each) for each in attributes}
    return sha256(canonical_text({"attributes": members}).encode()).hexdigest()


def member(attribute: Attribute) -> bytes:
    """An attribute as a member of a configuration's canonical text: `"name":{…}`."""
    found = used(attribute)
    content = ",".join([f'"{key}":{quoted(found[key])}' for key in sorted(found)])
    return f"{quoted(attribute.name)}:{{{content}}}".encode()


def tail(drivers: Sequence[Driver], parameters: Mapping[str, str]) -> bytes:
    """What comes after the attributes in a configuration's canonical text."""
    used_drivers = canonical_text([driver_of(each) for each in drivers])
    return f'}},"drivers":{used_drivers},"parameters":{canonical_text(dict(parameters))}}}'.encode()


def fingerprint(members: Iterable[bytes], tail: bytes) -> str:
    """Fingerprint of a configuration from its parts: its attributes' members, sorted by name,
    and its tail."""
    return SCHEME + sha256(b'{"attributes":{' + b",".join(members) + tail).hexdigest()


def digest(fingerprints: Mapping[str, str]) -> str:
    """Digest of a unit server: fingerprints by id, of its units that have applied one."""
    lines = (f"{unit}={told}\n" for unit, told in sorted(fingerprints.items()))
    return sha256("".join(lines).encode()).hexdigest()


def used(attribute: Attribute) -> dict[str, str]:
    """What of an attribute makes a difference to what runs."""
    found = dict(attribute.facets)
    if attribute.direction is not Direction.UNSPECIFIED:
        found["direction"] = attribute.direction
    if attribute.type is not ValueType.UNSPECIFIED:
        found["type"] = attribute.type
    if attribute.shape:
        found["shape"] = "x".join(map(str, attribute.shape))
    if attribute.maximum_size_bytes:
        found["maximum_size_bytes"] = str(attribute.maximum_size_bytes)
    return found


def described(attribute: Attribute) -> dict[str, str]:
    """All that a dataset says of an attribute."""
    found = used(attribute)
    if attribute.description:
        found["description"] = attribute.description
    if attribute.mime_type:
        found["mime_type"] = attribute.mime_type
    return found


def driver_of(driver: Driver) -> dict[str, object]:
    found: dict[str, object] = {"name": driver.name}
    if driver.version:
        found["version"] = driver.version
    if driver.init_parameter:
        found["init_parameter"] = driver.init_parameter
    if driver.properties:
        found["properties"] = dict(driver.properties)
    return found
