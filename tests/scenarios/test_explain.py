"""Why a unit shall use what it shall use, asked over the wire."""

import pytest
from mds.v1 import control_unit_pb2, dataset_pb2, explanation_pb2, template_pb2, unit_server_pb2

from control_units.client import Client, Refused
from tests.stages.replica import Replica

NAME = "control_units/DAFNE/PL/PS1"
MAXIMUM = "attributes[current].maximum"


async def declare(client: Client) -> control_unit_pb2.ControlUnit:
    current = dataset_pb2.Attribute(
        name="current",
        direction=dataset_pb2.DIRECTION_INPUT,
        type=dataset_pb2.VALUE_TYPE_DOUBLE,
        unit="A",
        maximum="0x64",
    )
    template = template_pb2.Template(
        name="templates/Supply", implementation="Supply", attributes=[current]
    )
    await client.templates.CreateTemplate(
        template_pb2.CreateTemplateRequest(template=template, reason="new supplies")
    )
    server = unit_server_pb2.UnitServer(name="unit_servers/US")
    await client.unit_servers.CreateUnitServer(
        unit_server_pb2.CreateUnitServerRequest(unit_server=server)
    )
    unit = control_unit_pb2.ControlUnit(
        name=NAME,
        template="templates/Supply",
        unit_server="unit_servers/US",
        overrides=[dataset_pb2.AttributeOverride(attribute="current", maximum="8")],
    )
    return await client.control_units.CreateControlUnit(
        control_unit_pb2.CreateControlUnitRequest(control_unit=unit, reason="hot coil")
    )


def explaining(
    planned: control_unit_pb2.ControlUnit,
) -> control_unit_pb2.ExplainConfigurationRequest:
    return control_unit_pb2.ExplainConfigurationRequest(name=NAME, planned=planned)


async def test_a_value_comes_with_its_layers_and_with_what_is_planned(replica: Replica) -> None:
    async with Client(replica.address, principal="rita") as client:
        unit = await declare(client)
        planned = control_unit_pb2.ControlUnit(template="templates/Supply")
        found = await client.control_units.ExplainConfiguration(explaining(planned))
        assert (found.name, found.template_version) == (NAME, 1)
        assert found.planned_fingerprint != found.fingerprint
        assert found.position.revision == unit.revision
        (maximum,) = [each for each in found.values if each.path == MAXIMUM]
        assert (maximum.value, maximum.unit, maximum.planned_value) == ("8", "A", "0x64")
        template, override = maximum.layers
        assert (template.layer, override.layer) == (
            explanation_pb2.LAYER_TEMPLATE,
            explanation_pb2.LAYER_OVERRIDE,
        )
        assert (template.source, template.version) == ("templates/Supply", 1)
        assert (template.value, template.reason) == ("0x64", "new supplies")
        assert (override.source, override.revision) == (NAME, unit.revision)
        assert (override.author, override.reason) == ("rita", "hot coil")
        assert override.time == unit.update_time


async def test_what_is_planned_for_another_unit_is_refused(replica: Replica) -> None:
    async with Client(replica.address) as client:
        await declare(client)
        planned = control_unit_pb2.ControlUnit(name="control_units/other")
        with pytest.raises(Refused, match=r"planned\.name"):
            await client.control_units.ExplainConfiguration(explaining(planned))
