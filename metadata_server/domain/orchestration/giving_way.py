"""Which orders give way to later ones: those that change the same of a unit. All others are done
beside each other."""

from __future__ import annotations

from collections.abc import Iterable

from metadata_server.domain.intent.edit import RECOVER, FieldEdit, steps_of
from metadata_server.domain.orchestration.operation import Order
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import Refused

Field = tuple[str, ...]
"""The way to a field in the tree of a unit."""

STATE: Field = ("desired_state",)
WHOLE: Field = ()
"""All of a unit: every field is within it."""


def changed(order: Order, own: Iterable[FieldEdit] = ()) -> frozenset[Field]:
    """What an order changes of a unit. Edits that a later release has planned, and that cannot be
    read here, may be of anything.

    Args:
        own: with EDIT, the edits of this unit alone.
    """
    if order.verb is Verb.EDIT:
        edits = (*order.edits, *own)
        try:
            return frozenset(each.keys for each in steps_of(edits)) if edits else frozenset()
        except (Refused, ValueError):
            return frozenset({WHOLE})
    return frozenset({RECOVER if order.verb is Verb.RECOVER else STATE})


def claimed(order: Order, own: Iterable[FieldEdit] = ()) -> frozenset[Field]:
    """What older orders give way for. A unit of which another state is wanted is not recovered for
    the sake of the one before; a recovery lets it come to whatever state is wanted."""
    fields = changed(order, own)
    return fields | {RECOVER} if STATE in fields else fields


def gives_way(older: Iterable[Field], later: Iterable[Field]) -> bool:
    """Whether what an older order changes is among what a later one claims: the same field, or
    one within the other."""
    claims = list(later)
    return any(one[: len(other)] == other[: len(one)] for one in older for other in claims)
