"""What would become of edits of units, tried without being written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from metadata_server.domain.intent.bundle import Decision, Item, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, edited, steps_of
from metadata_server.domain.orchestration.operation import Order
from metadata_server.services.intent.planning import Planning
from metadata_server.store.unit_of_work import UnitOfWork


def trial(
    unit: UnitOfWork,
    order: Order,
    units: Iterable[ControlUnit],
    edits: Mapping[str, Sequence[FieldEdit]],
) -> list[Decision]:
    """What would become of edits, one by one, as the units are now."""
    common = steps_of(order.edits) if order.edits else ()
    items = []
    for each in units:
        own = steps_of(edits[each.id]) if edits.get(each.id) else ()
        items.append(Item("", each.name, edited(each, (*common, *own))))
    return Planning(unit, on_conflict=OnConflict.REPLACE).decide(items)
