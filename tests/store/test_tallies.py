"""How many resources change sets changed: counted once, and never told otherwise than it is."""

from typing import Any

from sqlalchemy import event

from metadata_server.domain.change import Action, Caller
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.names import DECLARED
from metadata_server.store.past.retention import trim_kind
from metadata_server.store.past.tallies import Tallies, tallies_of, trimmed_up_to
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

IDS = ["a", "b", "c"]


def live(store: Store, caller: Caller) -> int:
    """Creates three variables, changes two, deletes one, each at a revision; the last of these."""

    def change(unit: UnitOfWork) -> None:
        for each in unit.resources.find(Variable, IDS[:2], lock=True).values():
            unit.save(Variable(id=each.id, value="2", meta=each.meta))

    def delete(unit: UnitOfWork) -> None:
        unit.delete(unit.resources.find(Variable, ["a"], lock=True)["a"])

    store.transact_now(lambda unit: [unit.save(Variable(id=id)) for id in IDS], caller=caller)
    store.transact_now(change, caller=caller)
    return store.transact_now(delete, caller=caller).position.revision


def times_counted(store: Store, tallies: Tallies, revisions: list[int]) -> int:
    """How often the history is asked for tallies; they are what it says."""
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "GROUP BY" in statement:
            asked.append(statement)

    event.listen(store.database.reading, "before_cursor_execute", note)
    found = store.read_now(lambda unit: tallies.of(unit, revisions)).value
    event.remove(store.database.reading, "before_cursor_execute", note)
    assert found == store.read_now(lambda unit: tallies_of(unit, revisions)).value
    return len(asked)


def test_what_was_counted_is_not_counted_again(store: Store, caller: Caller) -> None:
    last = live(store, caller)
    tallies, revisions = Tallies(), [last - 2, last - 1, last]
    assert [times_counted(store, tallies, revisions) for _ in range(2)] == [1, 0]
    told = store.read_now(lambda unit: tallies.of(unit, revisions)).value
    assert list(told.values()) == [
        {Action.CREATED: 3}, {Action.UPDATED: 2}, {Action.DELETED: 1}
    ]  # fmt: skip


def test_what_is_still_to_come_is_not_taken_for_nothing(store: Store, caller: Caller) -> None:
    tallies = Tallies()
    coming = store.read_now(lambda unit: unit.position.revision).value + 1
    assert times_counted(store, tallies, [coming]) == 1
    live(store, caller)
    assert times_counted(store, tallies, [coming]) == 1
    assert times_counted(store, tallies, [coming]) == 0


def test_what_does_not_fit_is_counted_again(store: Store, caller: Caller) -> None:
    last = live(store, caller)
    tallies = Tallies(most=1)
    assert [times_counted(store, tallies, [each]) for each in (last, last, last - 1, last)] == [
        1, 0, 1, 1
    ]  # fmt: skip


def test_what_is_trimmed_is_counted_as_it_is_kept(store: Store, caller: Caller) -> None:
    last = live(store, caller)
    tallies, revisions = Tallies(), [last - 2, last - 1, last]
    assert times_counted(store, tallies, revisions) == 1

    def trim(unit: UnitOfWork) -> None:
        for kind in DECLARED:
            trim_kind(unit, kind, unit.now_us)

    store.transact_now(trim)
    assert store.read_now(trimmed_up_to).value >= last
    assert times_counted(store, tallies, revisions) == 1
    told = store.read_now(lambda unit: tallies.of(unit, revisions)).value
    assert told[last - 2] == {Action.CREATED: 1}, "only the newest image of each is kept"
