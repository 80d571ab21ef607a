"""A magnet with a dataset worth editing, declared at a replica."""

from mds.v1 import control_unit_pb2, dataset_pb2, template_pb2

from control_units.client import Client

ID = "RING/MAG/Q1"
PAGE = f"/control_units/{ID}"


async def declare_magnets(client: Client, *ids: str) -> None:
    template = template_pb2.Template(
        name="templates/Magnet",
        implementation="Magnet",
        version_state=template_pb2.VERSION_STATE_PUBLISHED,
    )
    template.attributes.add(
        name="current",
        direction=dataset_pb2.DIRECTION_INPUT,
        type=dataset_pb2.VALUE_TYPE_DOUBLE,
        unit="A",
        default_value="10",
        minimum="0",
        maximum="100",
    )
    template.attributes.add(
        name="stby",
        direction=dataset_pb2.DIRECTION_INPUT,
        type=dataset_pb2.VALUE_TYPE_BOOL,
        default_value="false",
    )
    template.attributes.add(
        name="slit[mm]",
        direction=dataset_pb2.DIRECTION_INPUT,
        type=dataset_pb2.VALUE_TYPE_DOUBLE,
    )
    template.attributes.add(
        name="readback",
        direction=dataset_pb2.DIRECTION_OUTPUT,
        type=dataset_pb2.VALUE_TYPE_DOUBLE,
    )
    template.parameters.add(
        name="ramp", type=dataset_pb2.VALUE_TYPE_UINT32, default_value="5", maximum="50"
    )
    units = [
        control_unit_pb2.ControlUnit(name=f"control_units/{id}", template=template.name)
        for id in ids or (ID,)
    ]
    await client.apply([template, *units], reason="a test")
