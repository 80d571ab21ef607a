"""`Raise the maximum of current to 60 A for every unit under a prefix whose template is …`, as
one change set, on our example facility and on a real one."""

from collections.abc import AsyncIterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from mds.v1.bundle_pb2 import BundleHeader, BundleItem, ExportRequest, SeenPlan
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.edit_pb2 import EditControlUnitsRequest, FieldEdit, UnitSelection

from control_units.client import Client, Refused
from control_units.importers.chaos import read_chaos
from control_units.importers.facility import read_facility
from tests.scenarios.plans import Told, apply
from tests.stages.replica import Replica

QUADRUPOLE = "templates/example::magnets::QuadrupolePowerSupply"
SUPPLY = "templates/driver::powersupply::SCPowerSupplyControlUnit"
MAXIMUM = "overrides[current].maximum"


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address, principal="anna") as client:
        yield client


async def edit(client: Client, *edits: FieldEdit, **fields: Any) -> Told:
    request = EditControlUnitsRequest(edits=edits, reason="a test", **fields)
    told = Told()
    async for response in client.edits.EditControlUnits(request):
        told.take(response)
    return told


async def units(client: Client) -> dict[str, ControlUnit]:
    return {
        item.control_unit.name: item.control_unit
        async for reply in client.bundles.Export(ExportRequest())
        for item in reply.items
        if item.HasField("control_unit")
    }


def maximum_of(unit: ControlUnit) -> str:
    """Its own maximum of current; empty: that of its template."""
    return next((each.maximum for each in unit.overrides if each.attribute == "current"), "")


async def raise_maximum(
    client: Client, items: Sequence[BundleItem], prefix: str, template: str
) -> dict[str, str]:
    """Does it as people do: sees the plan, carries it out, and checks every unit."""
    told = await apply(client, items, BundleHeader(skip_invalid=True, reason="import"))
    assert told.summary.applied
    before = await units(client)
    selection = UnitSelection(id_prefix=prefix, template=template)
    wanted = FieldEdit(path=MAXIMUM, value="60")
    tried = await edit(client, wanted, selection=selection, validate_only=True)
    assert not tried.problems
    assert await units(client) == before
    seen = SeenPlan(position=tried.summary.position, plan=tried.summary.plan)
    done = await edit(client, wanted, selection=selection, seen_plan=seen)
    assert done.summary.applied
    assert done.results == tried.results
    assert done.summary.position.revision == told.summary.position.revision + 1
    after = await units(client)
    for name, unit in after.items():
        concerned = name.startswith(f"control_units/{prefix}") and unit.template == template
        expected = "60" if concerned else maximum_of(before[name])
        assert maximum_of(unit) == expected, name
    return done.actions()


async def test_every_quadrupole_of_the_linac_gets_sixty_amperes(client: Client) -> None:
    data = (resources.files("control_units.simulated") / "facility.yaml").read_bytes()
    changed = await raise_maximum(client, read_facility(data).items, "LINAC/", QUADRUPOLE)
    assert len(changed) == 6
    assert set(changed.values()) == {"CHANGED"}


async def test_every_supply_of_a_real_zone_gets_sixty_amperes(
    client: Client, chaos_files: Path
) -> None:
    items = read_chaos((chaos_files / "dafne.json").read_bytes()).items
    changed = await raise_maximum(client, items, "DAFNE/PL/", SUPPLY)
    assert len(changed) == 64
    assert set(changed.values()) == {"CHANGED"}


async def test_a_path_that_leads_nowhere_is_refused_with_the_closest(client: Client) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        await edit(client, FieldEdit(path="overrides[current].maximun", value="60"))
    assert "overrides[current].maximum" in str(refused.value)


async def test_a_name_that_is_none_is_refused(client: Client) -> None:
    selection = UnitSelection(names=["agents/a"], template="Supply")
    with pytest.raises(Refused, match="INVALID_ID") as refused:
        await edit(client, FieldEdit(path="description"), selection=selection)
    assert "selection.names[0]" in str(refused.value)
    assert "selection.template" in str(refused.value)


async def test_nothing_selected_is_nothing_done(client: Client) -> None:
    told = await edit(client, FieldEdit(path="description", value="x"))
    assert told.summary.applied
    assert (told.summary.changed, told.results) == (0, [])
