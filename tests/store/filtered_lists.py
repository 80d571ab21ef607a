"""Lists under a filter, and what they should have: what passes in memory, in its order."""

from functools import partial
from typing import Any

from metadata_server.domain.filter.asked import asked_of, rank
from metadata_server.domain.filter.key import Facts
from metadata_server.domain.filter.matching import matches
from metadata_server.domain.filter.vocabulary import VOCABULARIES
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.page import Selection
from metadata_server.store.filter.counting import matching_resources
from metadata_server.store.filter.subjects import Subjects
from metadata_server.store.intent.lists import filtered_page
from metadata_server.store.past.past import batches_of, names_at
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

SUSPECT_US = 5_000_000
ALL_THAT_IS_TOLD = {
    Kind.CONTROL_UNIT: "state:* OR contact:* OR id:*",
    Kind.CONTROL_UNIT_STATUS: "state:* OR contact:* OR id:*",
    Kind.UNIT_SERVER: "contact:* OR id:*",
    Kind.AGENT: "contact:* OR id:*",
}
EVERYTHING = {
    kind: Selection(kind=kind, filter=ALL_THAT_IS_TOLD.get(kind, "id:*"))
    for kind in (*DECLARED, Kind.CONTROL_UNIT_STATUS)
}


def subjects_now(unit: UnitOfWork, selected: Kind) -> dict[int, Any]:
    """All things of a list, as a filter that asks for everything looks at them."""
    asked = asked_of(EVERYTHING[selected])
    kind = Kind.CONTROL_UNIT if selected is Kind.CONTROL_UNIT_STATUS else selected
    revision = unit.position.revision
    keys = next(batches_of(unit, names_at(kind, revision), "", after="", size=10_000))
    known = Subjects(unit, asked, kind, revision, is_present=True, suspect_us=SUSPECT_US)
    return known.of(keys)


def read_all(unit: UnitOfWork, kind: Kind) -> tuple[dict[int, Any], int]:
    """All things of a list, and the time."""
    return subjects_now(unit, kind), unit.now_us


def expected(subjects: dict[int, Any], selection: Selection, now_us: int) -> list[str]:
    """Ids of what a list should have, in order."""
    asked = asked_of(selection)
    passing = [each for each in subjects.values() if matches(asked.expression, each, now_us)]

    def place(subject: Any) -> tuple[Any, str]:
        return rank(asked.sorting.value_of(subject)), id_of(subject)

    return list(map(id_of, sorted(passing, key=place, reverse=asked.sorting.descends)))


def id_of(subject: Any) -> str:
    return str(getattr(subject, "declared", subject).id)


def listed(store: Store, selection: Selection, *, size: int = 7, token: str = "") -> list[str]:
    """Ids on all pages of a list, or on the rest of them."""
    found: list[str] = []
    while True:
        page = partial(
            filtered_page, selection=selection, size=size, token=token, suspect_us=SUSPECT_US
        )
        listing = store.read_now(page).value
        found += [row.id for row in listing.items]
        token = listing.next_page_token
        if not token:
            return found


def counted(store: Store, kind: Kind, text: str) -> int:
    counting = partial(matching_resources, kind=kind, text=text, suspect_us=SUSPECT_US)
    return store.read_now(counting).value.count


def facts_of(subjects: dict[int, Any], word: str) -> dict[str, list[Any]]:
    def values(facts: Facts) -> list[Any]:
        return list(facts)

    return {
        key.name: [value for each in subjects.values() for value in values(key.of(each))]
        for key in VOCABULARIES[word].keys.values()
    }
