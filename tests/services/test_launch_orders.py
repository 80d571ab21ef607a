"""Orders to agents, which are part of what is declared."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.unit_server import Launch, LaunchOrder, UnitServer
from metadata_server.domain.refused import Refused
from metadata_server.services.agents.launch_orders import LaunchOrders, restarted, started, stopped
from metadata_server.services.past.undo import Undo
from metadata_server.store.store import Store
from tests.services.lively import CALLER, Facility, facility

LAUNCH = Launch(agent="H1", command="run")


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.resources.create(CALLER, Agent(id="H1"), validate_only=False)
        server = UnitServer(id="PS", launch=LAUNCH)
        await found.resources.create(CALLER, server, validate_only=False)
        yield found


@pytest.fixture
def orders(lab: Facility) -> LaunchOrders:
    return LaunchOrders(lab.store)


async def declared(lab: Facility) -> Launch:
    launch = (await lab.resources.get(UnitServer, "PS")).value.launch
    assert launch is not None
    return launch


async def test_each_order_is_kept_in_what_is_declared(lab: Facility, orders: LaunchOrders) -> None:
    await orders.give(CALLER, "PS", stopped, validate_only=False)
    assert await declared(lab) == replace(LAUNCH, order=LaunchOrder.STOP)
    await orders.give(CALLER, "PS", started, validate_only=False)
    assert await declared(lab) == replace(LAUNCH, order=LaunchOrder.RUN)
    await orders.give(CALLER, "PS", restarted, validate_only=False)
    await orders.give(CALLER, "PS", restarted, validate_only=False)
    assert await declared(lab) == replace(LAUNCH, order=LaunchOrder.RUN, restart_count=2)


async def test_an_order_that_is_sent_again_is_given_once(
    lab: Facility, orders: LaunchOrders
) -> None:
    caller = replace(CALLER, request_id="r1", payload_hash="p")
    for _ in range(2):
        await orders.give(caller, "PS", restarted, validate_only=False)
    assert (await declared(lab)).restart_count == 1


async def test_an_order_on_trial_changes_nothing(lab: Facility, orders: LaunchOrders) -> None:
    answer = await orders.give(CALLER, "PS", stopped, validate_only=True)
    assert answer.value.launch == replace(LAUNCH, order=LaunchOrder.STOP)
    assert await declared(lab) == LAUNCH


async def test_what_no_agent_launches_takes_no_order(orders: LaunchOrders) -> None:
    with pytest.raises(Refused, match="NO_AGENT"):
        await orders.give(CALLER, "US", started, validate_only=False)


async def test_an_undone_restart_is_counted_on(
    lab: Facility, orders: LaunchOrders, store: Store
) -> None:
    """Else the agent would take the next one for one that it has carried out."""
    await orders.give(CALLER, "PS", stopped, validate_only=False)
    answer = await orders.give(CALLER, "PS", restarted, validate_only=False)
    revision = answer.position.revision
    await Undo(store).undo(CALLER, revision, validate_only=False, skip_invalid=False)
    assert await declared(lab) == replace(LAUNCH, order=LaunchOrder.STOP, restart_count=1)


async def test_a_count_below_zero_is_refused(lab: Facility) -> None:
    wrong = UnitServer(id="B", launch=replace(LAUNCH, restart_count=-1))
    with pytest.raises(Refused, match=r"launch\.restart_count is '-1'"):
        await lab.resources.create(CALLER, wrong, validate_only=False)
