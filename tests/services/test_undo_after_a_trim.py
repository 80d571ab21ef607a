"""Taking change sets back where what came before them has been trimmed."""

import pytest
from sqlalchemy import delete, select

from metadata_server.domain.intent.bundle import Item
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.store.past.retention import trim_kind
from metadata_server.store.schema import change_set, name
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.test_undo import Call, Facility


@pytest.fixture
def facility(store: Store, call: Call) -> Facility:
    return Facility(store, call)


async def test_the_change_of_what_was_gone_once_is_no_creation_after_a_trim(
    facility: Facility,
) -> None:
    await facility.apply(Variable(id="v", value="1"))
    gone = await facility.apply(Item.removal(Kind.VARIABLE, "v"))
    await facility.undo(gone)

    def trim(unit: UnitOfWork) -> None:
        row = select(change_set.c.time_us).where(change_set.c.revision == gone)
        trim_kind(unit, Kind.VARIABLE, unit.connection.scalars(row).one())

    await facility.store.transact(trim)
    changed = await facility.apply(Variable(id="v", value="2"))
    await facility.undo(changed)
    found = (await facility.store.read(lambda unit: unit.resources.where(Variable))).value
    assert [each.value for each in found] == ["1"]


async def test_a_change_of_which_nothing_is_kept_from_before_is_not_undone(
    facility: Facility,
) -> None:
    """Whatever is wrong with what is kept: what was changed is not deleted for it."""
    await facility.apply(Variable(id="v", value="1"))
    changed = await facility.apply(Variable(id="v", value="2"))
    await facility.store.transact(lambda unit: unit.connection.execute(delete(name)))
    with pytest.raises(Refused, match="HISTORY_TRIMMED"):
        await facility.undo(changed)
    found = (await facility.store.read(lambda unit: unit.resources.where(Variable))).value
    assert [each.value for each in found] == ["2"]
