"""Taking back while somebody else changes the same resources: nothing of either is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.bundle import Item, OnConflict
from metadata_server.domain.intent.facility import Agent
from metadata_server.services.intent.plans import Applying, carry_out
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.past.going_back import carry_back
from metadata_server.services.past.undo import undoing
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

ROUNDS = 40
IDS = [f"a{number}" for number in range(8)]
JOIN_S = 120


def describe(store: Store, caller: Caller, number: int) -> None:
    """Writes a number after the one before it; nobody else writes there."""

    def work(unit: UnitOfWork) -> None:
        agents = unit.resources.find(Agent, IDS, lock=True)
        for agent in agents.values():
            assert agent.description == str(number - 1), "somebody has written over it"
            unit.save(replace(agent, description=str(number)))

    store.transact_now(work, caller=caller)


def move_and_back(store: Store, caller: Caller, number: int) -> None:
    """Gives all another host, and takes that back."""

    def items_of(unit: UnitOfWork) -> list[Item]:
        agents = unit.resources.find(Agent, IDS, lock=True)
        return [
            Item("", each.name, replace(each, host=f"moved {number}")) for each in agents.values()
        ]

    how = Applying(on_conflict=OnConflict.REPLACE)
    moved = store.transact_now(
        lambda unit: carry_out(unit, items_of, how, ApplyProgress()), caller=caller
    )
    revision = moved.position.revision
    back = store.transact_now(
        lambda unit: carry_back(
            unit,
            lambda: undoing(unit, revision, skip_invalid=False),
            skip_invalid=False,
            validate_only=False,
        ),
        caller=caller,
    )
    assert back.value.count == len(IDS)


def test_taking_back_loses_nothing_of_what_others_change_meanwhile(
    store: Store, call: Callable[..., Caller]
) -> None:
    def create(unit: UnitOfWork) -> None:
        for id in IDS:
            unit.save(Agent(id=id, host="home", description="0"))

    store.transact_now(create, caller=call())

    def repeat(work: Callable[[Store, Caller, int], None]) -> None:
        for number in range(1, ROUNDS + 1):
            work(store, call(), number)

    with ThreadPoolExecutor(2) as people:
        for person in [people.submit(repeat, work) for work in (describe, move_and_back)]:
            person.result(JOIN_S)
    agents = store.read_now(lambda unit: unit.resources.where(Agent)).value
    assert [(each.host, each.description) for each in agents] == [("home", str(ROUNDS))] * len(IDS)
