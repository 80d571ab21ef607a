"""What a change would do, or has done, to resources: as the server says, for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mds.v1.bundle_pb2 import ItemAction, ItemResult
from mds.v1.difference_pb2 import FieldDifference

from webui.names import id_of, page_of
from webui.translation import _, gettext_noop

_ACTIONS = {
    ItemAction.ITEM_ACTION_CREATED: gettext_noop("created"),
    ItemAction.ITEM_ACTION_CHANGED: gettext_noop("changed"),
    ItemAction.ITEM_ACTION_UNCHANGED: gettext_noop("as it is"),
    ItemAction.ITEM_ACTION_SKIPPED: gettext_noop("left as it is"),
    ItemAction.ITEM_ACTION_REJECTED: gettext_noop("wrong"),
    ItemAction.ITEM_ACTION_REMOVED: gettext_noop("deleted"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One resource.

    Attributes:
        is_running: a control unit that runs while it is touched.
        last_author: who changed it last, before.
    """

    name: str
    id: str
    page: str
    action: str
    differences: tuple[FieldDifference, ...]
    is_running: bool
    last_author: str


class FirstResults:
    """Takes from a stream of results the first ones that change something; counts the others, so
    that no more of a change of a whole facility is held than is shown.

    Attributes:
        more: how many it has let go.
    """

    def __init__(self, most: int) -> None:
        self._room = most
        self.more = 0

    def __call__(self, response: Any) -> list[ItemResult]:
        changed = [
            each for each in response.results if each.action != ItemAction.ITEM_ACTION_UNCHANGED
        ]
        taken = changed[: self._room]
        self._room -= len(taken)
        self.more += len(changed) - len(taken)
        return taken


def planned_items(results: Iterable[ItemResult]) -> list[Item]:
    return [
        Item(
            name=result.name,
            id=id_of(result.name),
            page=page_of(result.name),
            action=_(_ACTIONS.get(result.action) or "?"),
            differences=tuple(result.differences),
            is_running=result.is_running,
            last_author=result.last_author,
        )
        for result in results
        if result.action != ItemAction.ITEM_ACTION_UNCHANGED
    ]
