"""What a client has, and of which types."""

import re
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import assert_type

import mds.v1
import pytest
from mds.v1.control_unit_pb2 import ControlUnit, ControlUnitStatus
from mds.v1.variable_pb2 import Variable

import control_units.client
from control_units.client import Change, Client, Mirror

PROTOS = Path(next(iter(mds.v1.__path__)))
SERVICES = sorted(
    name
    for file in PROTOS.glob("*.proto")
    for name in re.findall(r"^service (\w+)", file.read_text(), re.MULTILINE)
)


@pytest.mark.parametrize("service", SERVICES)
async def test_every_service_of_the_contract_is_an_attribute(service: str) -> None:
    attribute = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", service).lower()
    async with Client() as client:
        stub = getattr(client, attribute)
        file = next(
            file for file in PROTOS.glob("*.proto") if f"\nservice {service} " in file.read_text()
        )
        module = import_module(f"mds.v1.{file.stem}_pb2")
        for method in module.DESCRIPTOR.services_by_name[service].methods:
            assert callable(getattr(stub, method.name))


async def test_what_is_late_to_be_imported_is_there() -> None:
    for name in control_units.client.__all__:
        assert getattr(control_units.client, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        getattr(control_units.client, "Nothing")  # noqa: B009 - a name that no type knows


async def test_resources_have_the_types_of_the_contract(client: Client) -> None:
    created = await client.variables.create(Variable(name="variables/A", value="1"))
    assert_type(created, Variable)
    assert_type(await client.variables.get("A"), Variable)
    assert_type(client.control_units.list(), AsyncIterator[ControlUnit])
    assert_type(client.control_unit_statuses.list(), AsyncIterator[ControlUnitStatus])
    async with client.variables.mirror() as mirror:
        assert_type(mirror, Mirror[Variable])
        assert_type(mirror.get("A"), Variable | None)
        mirror.on_change(lambda changes: assert_type(changes, list[Change[Variable]]))
