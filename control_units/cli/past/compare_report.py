"""What differs between two moments, for people and for scripts."""

from collections import Counter
from collections.abc import Sequence

import click
from mds.v1.history_pb2 import ChangeAction, CompareResponse, Difference

from control_units.cli.output.differences import difference_fields
from control_units.cli.output.entries import Entry, entry_lines
from control_units.client.words import word_of

SIGNS = {
    ChangeAction.CHANGE_ACTION_CREATED: "+",
    ChangeAction.CHANGE_ACTION_UPDATED: "~",
    ChangeAction.CHANGE_ACTION_DELETED: "-",
}


def differences_text(first: CompareResponse | None, found: Sequence[Difference]) -> str:
    """Ends with what was compared."""
    entries = (
        Entry(SIGNS[each.action], each.name, was_called(each.former_name), each.differences)
        for each in found
    )
    counts = Counter(each.action for each in found)
    created, updated, deleted = (counts[action] for action in SIGNS)
    earlier = getattr(first, "from").revision if first else 0
    later = first.to.revision if first else 0
    said = f"{created} created, {updated} changed, {deleted} deleted" if found else "no difference"
    return "\n".join(
        [
            *entry_lines(entries),
            click.style(f"Revision {earlier} to {later}: {said}.", bold=True),
        ]
    )


def was_called(former_name: str) -> str:
    return f"was {former_name.partition('/')[2]}" if former_name else ""


def differences_json(
    first: CompareResponse | None, found: Sequence[Difference]
) -> dict[str, object]:
    return {
        "from": getattr(first, "from").revision if first else None,
        "to": first.to.revision if first else None,
        "differences": [
            {
                "name": each.name,
                "former_name": each.former_name,
                "action": word_of(ChangeAction, each.action),
                "differences": difference_fields(each.differences),
            }
            for each in found
        ],
    }
