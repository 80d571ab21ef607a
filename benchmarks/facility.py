"""A made-up facility of any size: one class of 20 attributes, units with two overrides each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator

from mds.v1 import bundle_pb2, dataset_pb2, template_pb2, unit_server_pb2
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.registration_pb2 import PublishedDataset
from mds.v1.state_pb2 import STATE_RUNNING

from control_units.client import Client

CLASS = "::bench::Hollow"
ATTRIBUTES = 20
CHUNK = 500
Shape = Callable[[int, int], ControlUnit]
"""What a unit has of its own, by the numbers of its unit server and of itself there."""


def attributes() -> list[dataset_pb2.Attribute]:
    """Half set-points, half read-backs."""
    return [
        dataset_pb2.Attribute(
            name=f"attribute_{number:02}",
            description=f"Attribute {number} of a hollow unit",
            direction=(dataset_pb2.DIRECTION_INPUT if number % 2 else dataset_pb2.DIRECTION_OUTPUT),
            type=dataset_pb2.VALUE_TYPE_DOUBLE,
            unit="A",
            default_value="0",
            minimum="-100",
            maximum="100",
        )
        for number in range(ATTRIBUTES)
    ]


def canonical(attribute: dataset_pb2.Attribute) -> dict[str, str]:
    """An attribute as the protocol's fingerprint.md writes it, with the fields used here."""
    return {
        "description": attribute.description,
        "direction": dataset_pb2.Direction.Name(attribute.direction).removeprefix("DIRECTION_"),
        "type": dataset_pb2.ValueType.Name(attribute.type).removeprefix("VALUE_TYPE_"),
        "unit": attribute.unit,
        "default_value": attribute.default_value,
        "minimum": attribute.minimum,
        "maximum": attribute.maximum,
    }


def hash_of_dataset() -> str:
    content = {"attributes": {each.name: canonical(each) for each in attributes()}}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


DATASET_HASH = hash_of_dataset()
DATASET = PublishedDataset(hash=DATASET_HASH, attributes=attributes(), implementation=CLASS)


def server_id(number: int) -> str:
    return f"HOLLOW_{number:04}"


def unit_id(server: int, unit: int) -> str:
    return f"ZONE{server % 10}/GROUP{server:04}/UNIT{unit:04}"


def alike(_server: int, _unit: int) -> ControlUnit:
    """What all units are: wanted RUNNING."""
    return ControlUnit(desired_state=STATE_RUNNING)


def declared(servers: int, units: int, shape: Shape = alike) -> Iterator[bundle_pb2.BundleItem]:
    """Everything that people would declare for it."""
    template = template_pb2.Template(
        name="templates/bench::Hollow", implementation=CLASS, attributes=attributes()
    )
    yield bundle_pb2.BundleItem(template=template)
    for server in range(servers):
        name = f"unit_servers/{server_id(server)}"
        yield bundle_pb2.BundleItem(unit_server=unit_server_pb2.UnitServer(name=name))
        for unit in range(units):
            declaration = ControlUnit(
                name=f"control_units/{unit_id(server, unit)}",
                template="templates/bench::Hollow",
                unit_server=name,
                overrides=[
                    dataset_pb2.AttributeOverride(
                        attribute="attribute_01", maximum=str(10 + unit % 50)
                    ),
                    dataset_pb2.AttributeOverride(
                        attribute="attribute_03", default_value=str(unit % 7)
                    ),
                ],
            )
            declaration.MergeFrom(shape(server, unit))
            yield bundle_pb2.BundleItem(control_unit=declaration)


async def declare(client: Client, servers: int, units: int, shape: Shape = alike) -> None:
    """Declares it on a server."""

    async def requests() -> AsyncIterator[bundle_pb2.ApplyRequest]:
        yield bundle_pb2.ApplyRequest(header=bundle_pb2.BundleHeader(reason="benchmark"))
        items: list[bundle_pb2.BundleItem] = []
        for item in declared(servers, units, shape):
            items.append(item)
            if len(items) == CHUNK:
                yield bundle_pb2.ApplyRequest(items=items)
                items = []
        yield bundle_pb2.ApplyRequest(items=items, end=True)

    applied = False
    async for response in client.bundles.Apply(requests(), timeout=300):
        if response.problems:
            raise RuntimeError(response.problems[0].message)
        applied = applied or response.summary.applied
    if not applied:
        raise RuntimeError("The facility was not applied.")
