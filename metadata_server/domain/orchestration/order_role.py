"""What an order takes of who gives it: an edit of what is declared is no less for being ordered."""

from __future__ import annotations

from collections.abc import Iterator

from metadata_server.domain.access.role import Role, role_required
from metadata_server.domain.intent.edit import RECOVER, FieldEdit, keys_of
from metadata_server.domain.orchestration.operation import Operation, Order

LONGEST_PATH = 100
"""Of what a refusal quotes."""


def role_of(order: Order) -> Role:
    """The least role that gives an order, and has it go on."""
    return Role.EXPERT if next(declaring(order), None) is not None else Role.OPERATOR


def check_giving(order: Order, role: Role) -> None:
    """Passes when somebody of a role may give an order.

    Raises:
        Refused: ROLE_REQUIRED.
    """
    first = next(declaring(order), None)
    if first is not None and not role.covers(Role.EXPERT):
        path = first.path if len(first.path) <= LONGEST_PATH else f"{first.path[:LONGEST_PATH]}…"
        raise role_required(f"An order that edits {path}", Role.EXPERT, role)


def check_going_on(operation: Operation, role: Role) -> None:
    """Passes when somebody of a role may have an operation go on.

    Raises:
        Refused: ROLE_REQUIRED.
    """
    if not role.covers(operation.role):
        raise role_required(f"To have {operation.name} go on", operation.role, role)


def declaring(order: Order) -> Iterator[FieldEdit]:
    """The edits of an order that change what experts declare."""
    judged: dict[tuple[str, bool], bool] = {}  # of thousands of units, most have the same paths
    for edits in (order.edits, *(each.edits for each in order.unit_edits)):
        for edit in edits:
            subject = edit.path, edit.value is None
            if subject not in judged:
                judged[subject] = not is_an_order(edit)
            if judged[subject]:
                yield edit


def is_an_order(edit: FieldEdit) -> bool:
    """Whether an edit is one that calls for operators come to as well: what a snapshot is restored
    by, and what other orders tell units."""
    keys = keys_of(edit.path)
    if keys == RECOVER:  # whatever its value is: all but one more are refused
        return True
    is_set_point = len(keys) == 3 and (keys[0], keys[2]) == ("overrides", "default_value")
    return edit.value is not None and (is_set_point or keys == ("desired_state",))
