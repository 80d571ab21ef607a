"""Which units a selection means; a slip in it must not mean them all."""

import pytest

from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.store.intent.unit_selections import selected_units
from metadata_server.store.store import Store
from tests.services.lively import facility


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (UnitSelection(), ["A/1", "A/2", "B/1"]),
        (UnitSelection(id_prefixes=("*",)), ["A/1", "A/2", "B/1"]),
        (UnitSelection(id_prefixes=("*", "B/"), zone="A"), ["A/1", "A/2"]),
        (UnitSelection(ids=("B/1",), id_prefixes=("*",)), ["A/1", "A/2", "B/1"]),
        (UnitSelection(id_prefixes=("A/",)), ["A/1", "A/2"]),
        (UnitSelection(ids=("B/1",), id_prefixes=("A/2",)), ["A/2", "B/1"]),
        (UnitSelection(id_prefixes=("A*",)), []),
        (UnitSelection(id_prefixes=("Ä",)), []),
        (UnitSelection(id_prefixes=("",)), []),
        (UnitSelection(ids=("C/1",)), []),
    ],
)
async def test_a_selection_means_the_units_that_it_says(
    store: Store, selection: UnitSelection, found: list[str]
) -> None:
    async with facility(store) as declared:
        await declared.declare("A/1", "A/2", "B/1")
        units = (await store.read(lambda unit: selected_units(unit, selection))).value
    assert [each.id for each in units] == found
