"""What an order takes of who gives it."""

import pytest

from metadata_server.domain.access.role import Role
from metadata_server.domain.intent.edit import (
    WHOLE,
    FieldEdit,
    Step,
    UnitSelection,
    keys_of,
    step_of,
)
from metadata_server.domain.orchestration.operation import Order, UnitEdits
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.orchestration.order_role import check_giving, role_of
from metadata_server.domain.refused import Refused

ALL = UnitSelection(ids=("A",))
SET = FieldEdit("overrides[current].default_value", "5")
VALUES = {
    "level": "3",
    "template_version": "2",
    "recover_count": "+1",
    "desired_state": "RUNNING",
    "requires": "B",
    "after": "B",
    "unit_server": "US",
    "overrides[a]": "{}",
    "drivers[a]": "{}",
}
PATHS = (
    *VALUES,
    *(f"overrides[a].{facet}" for facet in ("default_value", "maximum", "unit")),
    "overrides[a[0]].default_value",
    "overrides[a].default_value].maximum",
    "overrides[a].maximum].default_value",
    "drivers[d].properties[overrides[a].default_value]",
    "labels[overrides[a].default_value]",
    "parameters[desired_state]",
    "description",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_judged_by_the_field_that_the_edit_changes(path: str) -> None:
    step = step_of(FieldEdit(path, VALUES.get(path, "1")), "")
    assert isinstance(step, Step)
    assert keys_of(path) == step.keys
    is_operators = step.keys in {("desired_state",), ("recover_count",)} or (
        step.keys[0] == "overrides" and step.keys[2:] == ("default_value",)
    )
    order = Order(verb=Verb.EDIT, selection=ALL, edits=(FieldEdit(path, VALUES.get(path, "1")),))
    assert role_of(order) is (Role.OPERATOR if is_operators else Role.EXPERT)


@pytest.mark.parametrize("path", [*sorted(WHOLE), SET.path, "desired_state"])
def test_what_is_cleared_was_declared(path: str) -> None:
    order = Order(verb=Verb.EDIT, selection=ALL, edits=(SET, FieldEdit(path, None)))
    assert role_of(order) is Role.EXPERT


def test_one_edit_of_one_unit_is_enough() -> None:
    many = [UnitEdits(f"U{number}", (SET,)) for number in range(100)]
    assert role_of(Order(verb=Verb.EDIT, unit_edits=tuple(many))) is Role.OPERATOR
    many[50] = UnitEdits("U50", (SET, FieldEdit("level", "7")))
    order = Order(verb=Verb.EDIT, unit_edits=tuple(many))
    assert role_of(order) is Role.EXPERT
    check_giving(order, Role.EXPERT)
    with pytest.raises(Refused, match="An order that edits level takes the role expert"):
        check_giving(order, Role.OPERATOR)


def test_what_is_no_field_takes_an_expert_and_is_not_quoted_at_length() -> None:
    order = Order(verb=Verb.EDIT, selection=ALL, edits=(FieldEdit("x" * 100_000, "1"),))
    with pytest.raises(Refused, match="ROLE_REQUIRED") as refused:
        check_giving(order, Role.OPERATOR)
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("verb", [each for each in Verb if each is not Verb.EDIT])
def test_all_other_orders_take_an_operator(verb: Verb) -> None:
    assert role_of(Order(verb=verb, selection=ALL)) is Role.OPERATOR
