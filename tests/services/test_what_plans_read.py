"""Of the other units of a facility, plans read those that matter to what is ordered."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.intent.template import Template
from metadata_server.domain.orchestration.operation import Order
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.orchestration.operation_plans import others_of, plan
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.lively import CALLER

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "RING/1": (),
    "RING/2": ("RING/1",),
    "LINE/1": ("RING/",),
    "LINE/2": ("LINE/1", "WATER"),
    "WATER": ("POWER",),
    "POWER": (),
    "ELSEWHERE": ("POWER",),
}


@pytest.fixture(autouse=True)
def dependent(store: Store) -> None:
    """Units that require one another."""

    def work(unit: UnitOfWork) -> None:
        unit.save(Template(id="T", version=1))
        for id, requires in REQUIRED.items():
            unit.save(ControlUnit(id=id, template="T", template_version=1, requires=requires))

    store.transact_now(work, caller=CALLER)


def order(verb: Verb, *, even_so: bool = False) -> Order:
    edits = (FieldEdit("level", "2"),) if verb is Verb.EDIT else ()
    selection = UnitSelection(ids=("RING/2",))
    return Order(verb=verb, selection=selection, edits=edits, even_so=even_so)


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    told: list[str] = []

    def note(*arguments: object) -> None:
        told.append(str(arguments[2]))

    event.listen(store.database.writing, "before_cursor_execute", note)
    yield told


@pytest.mark.parametrize("verb", [Verb.LOAD, Verb.INIT, Verb.RECOVER, Verb.EDIT, Verb.START])
def test_what_others_require_is_not_read_where_nothing_stops(store: Store, verb: Verb) -> None:
    with statements(store) as told:
        store.transact_now(lambda unit: plan(unit, order(verb)), caller=CALLER)
    assert not [each for each in told if " LIKE " in each]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (order(Verb.START), {"RING/1"}),
        (order(Verb.START, even_so=True), set()),
        (order(Verb.RECOVER), set()),
        (order(Verb.STOP), {"LINE/1", "LINE/2"}),
        (order(Verb.UNLOAD, even_so=True), {"LINE/1", "LINE/2"}),
    ],
)
def test_others_are_those_that_matter_to_the_order(
    store: Store, wanted: Order, expected: set[str]
) -> None:
    def work(unit: UnitOfWork) -> set[str]:
        chosen = list(unit.resources.find(ControlUnit, wanted.selection.ids).values())
        return {each.id for each in others_of(unit, wanted, chosen)}

    assert store.transact_now(work).value == expected
