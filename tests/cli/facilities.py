"""A small facility as people keep it in files."""

from pathlib import Path

TEMPLATE = "lab::PowerSupply"

LABORATORY = """\
scope:
- prefix: LAB/
templates:
- id: lab::PowerSupply
  implementation: lab::PowerSupply
  attributes:
  - name: current
    direction: INPUT
    type: DOUBLE
    unit: A
    default_value: '0'
    minimum: '-50'
    maximum: '50'
  parameters:
  - name: ramp
    type: DOUBLE
    unit: A/s
    default_value: '5'
unit_servers:
- id: LAB/SERVER
"""


def units(*ids: str, maximum: str = "40") -> str:
    """Control units of the one class, each with an override."""
    entries = "".join(
        f"- id: {id}\n"
        f"  template: {TEMPLATE}\n"
        f"  unit_server: LAB/SERVER\n"
        f"  overrides:\n"
        f"  - attribute: current\n"
        f"    maximum: '{maximum}'\n"
        for id in ids
    )
    return f"control_units:\n{entries}"


def site(folder: Path) -> Path:
    """A folder with the laboratory and three units in files of their own."""
    path = folder / "site"
    (path / "units").mkdir(parents=True)
    (path / "laboratory.yaml").write_text(LABORATORY)
    (path / "units" / "magnets.yaml").write_text(units("LAB/A", "LAB/B", "LAB/C"))
    return path
