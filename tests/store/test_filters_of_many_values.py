"""Filters with as many values as fit into them find what passes in memory, on every database."""

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from metadata_server.domain.filter.parser import LONGEST
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.store.filter.counting import matching_resources
from metadata_server.store.intent.unit_selections import selected_units
from metadata_server.store.store import Store
from tests.stages.opened_store import opened_store
from tests.store.filtered_lists import expected, id_of, listed, read_all
from tests.store.filters import CALLER, TEXTS, declare_all, report_some

WORDS = [f'"{text}"' for text in TEXTS if '"' not in text]
ALIKE = ['"trailing"', '"SPARE"', '"a b "', '"elan"', '"under-score"', '"spare"']
NOTHING = [first + second for first in "klmnopqrst" for second in "uvwxyz0123456789"]
KEYS: dict[str, list[str]] = {
    "level=": ["-1", "2", "2.0"],
    "level!=": ["-1", "2"],
    "template_version=": ["1", "1.5"],
    "overrides=": ["0", "2"],
    "description=": ALIKE,
    "description:": ["spa*", "*_*"],
    "label=": ["section", "archived"],
    "label:": ["sec*", '"spare part"'],
    "label.section=": WORDS[:4],
    "label.section:": ["Spa", "*ré*", '""'],
    "parameter.ramp=": [*ALIKE[:3], *WORDS[-3:]],
    "override:": ["current", "x*"],
    "driver=": ["Modbus"],
    "requires=": ["RING/MAG/"],
    "id=": [],  # of units that are there
    "id:": ["U1", "DAFNE/*2"],
    "zone=": ["DAFNE", "BTF"],
    "zone:": ["DAF*"],
    "template=": ["Motor", "PowerSupply"],
    "template:": ["Power*", "Motor"],
    "unit_server=": ["SIMPS_0", '""'],
    "message=": ALIKE,
    "message:": ["spa*", "élan"],
    "condition:": ["ConfigDrift", "*Dying"],
    "state=": ["RUNNING", "STOPPED"],
}


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    chance = random.Random(20261123)
    with opened_store(database) as store:
        declare_all(store, chance, units=60)
        report_some(store, chance)
        yield store


def filled(head: str, wanted: list[str], other: list[str], length: int = LONGEST) -> str:
    """A filter of some length that ends with the values that are wanted."""
    end = ",".join(wanted)
    each = len(other[0]) + 1
    some = (length - len(head) - len(end)) // each
    fill = (other * (some // len(other) + 1))[:some]
    return f"{head}{','.join([*fill, end])}"


def values_beside(head: str, wanted: list[str]) -> list[str]:
    """Values that no unit has, as short as they may be, or that are asked for anyway."""
    if head.rstrip("!=") in {"level", "template_version", "overrides"}:
        return [str(number) for number in range(3, 10)]
    return wanted[:1] if head in {"condition:", "state="} else NOTHING


@pytest.mark.parametrize("head", KEYS)
def test_many_values_are_looked_for(store: Store, head: str) -> None:
    subjects, now_us = store.read_now(partial(read_all, kind=Kind.CONTROL_UNIT)).value
    wanted = KEYS[head] or sorted(map(id_of, subjects.values()))[::20]
    text = filled(head, wanted, values_beside(head, wanted))
    assert LONGEST - 20 < len(text) <= LONGEST
    for filter in (text, f"-({text[: text.rindex(',')]})"):
        for order in ("id", "changed desc"):
            selection = Selection(kind=Kind.CONTROL_UNIT, filter=filter, order_by=order)
            found = listed(store, selection, size=40)
            assert found == expected(subjects, selection, now_us), (filter[:40], order)
    selection = Selection(kind=Kind.CONTROL_UNIT, filter=text)
    assert listed(store, selection), "nothing passes, so nothing is shown"


@pytest.mark.parametrize("head", ["description:", "label:", "level=", "level>", "id:", "template="])
def test_many_terms_of_many_values_are_looked_for(store: Store, head: str) -> None:
    subjects, now_us = store.read_now(partial(read_all, kind=Kind.CONTROL_UNIT)).value
    values = "3,4,5,6,7,8,9" if head.startswith("level") else "a,b,c,d,e,f,g"
    for joint, each in ((" OR ", f"{head}{values}"), (" ", f"-{head}{values}")):
        many = min(199, LONGEST // (len(each) + len(joint)))
        selection = Selection(kind=Kind.CONTROL_UNIT, filter=joint.join([each] * many))
        assert listed(store, selection, size=40) == expected(subjects, selection, now_us), joint


def test_parentheses_may_be_as_deep_as_they_may_be(store: Store) -> None:
    subjects, now_us = store.read_now(partial(read_all, kind=Kind.CONTROL_UNIT)).value
    text = "level=1,2,3"
    for depth in range(9):
        text = f"-(label.section:a,b,c {('OR', 'AND')[depth % 2]} {text})"
    for filter in (text, "-" * 20 + "level>0", "(" * 20 + "level>0" + ")" * 20):
        selection = Selection(kind=Kind.CONTROL_UNIT, filter=filter)
        assert listed(store, selection, size=40) == expected(subjects, selection, now_us), filter


def test_a_list_of_units_may_have_many_values(store: Store) -> None:
    text = filled("level=", ["1"], ["7", "8"])
    plain = Selection(kind=Kind.CONTROL_UNIT, filter="level=1,7,8")
    units = UnitList(id="many", description="x", unit_filter=text)
    store.transact_now(lambda unit: unit.save(units), caller=CALLER)
    chosen = partial(selected_units, selection=UnitSelection(unit_list="many"))
    found = [each.id for each in store.read_now(chosen).value]
    assert sorted(found) == listed(store, plain) != []


def test_what_is_referred_to_is_looked_up_once(store: Store) -> None:
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM template" in statement:
            asked.append(statement)

    engine = store.database.reading
    text = filled("template=", ["Motor"], NOTHING)
    event.listen(engine, "before_cursor_execute", note)
    try:
        selection = Selection(kind=Kind.CONTROL_UNIT, filter=text, order_by="state")
        assert listed(store, selection, size=1000)
        assert len(asked) == 1
        store.read_now(partial(matching_resources, kind=Kind.CONTROL_UNIT, text=text))
        assert len(asked) == 2
    finally:
        event.remove(engine, "before_cursor_execute", note)
