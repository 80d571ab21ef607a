"""Small resources that tests change one thing of."""

from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
    Parameter,
    ValueType,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template

CURRENT = Attribute(
    "current",
    Direction.INPUT,
    ValueType.DOUBLE,
    facets={"unit": "A", "default_value": "0", "minimum": "-10", "maximum": "10.0"},
)
READ_BACK = Attribute("current_readback", Direction.OUTPUT, ValueType.DOUBLE, facets={"unit": "A"})
CHANNELS = Attribute("channels", Direction.BIDIRECTIONAL, ValueType.UINT8, shape=(0,))
UNTYPED = Attribute("stby", facets={"minimum": "0", "maximum": "1"})

POWER_SUPPLY = Template(
    id="power::Supply",
    version=3,
    implementation="::power::Supply",
    drivers=(Driver("Serial", "2", "9600", {"parity": "none"}),),
    alternative_drivers=(Driver("Serial", "1", "4800"), Driver("Ethernet", "1", "10.0.0.1")),
    parameters=(
        Parameter("period", ValueType.UINT32, facets={"default_value": "1000000", "minimum": "1"}),
        Parameter("slot", ValueType.INT8, required=True),
        Parameter("note"),
    ),
    attributes=(CURRENT, READ_BACK, CHANNELS, UNTYPED),
)

UNIT = ControlUnit(
    id="ZONE/PL/PL01",
    template="power::Supply",
    template_version=3,
    unit_server="SERVER",
    parameters={"slot": "4"},
)


def override(attribute: str, **facets: str) -> AttributeOverride:
    return AttributeOverride(attribute, facets)
