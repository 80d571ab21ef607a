"""An order from the page: its plan first, then just that."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from mds.v1 import control_unit_pb2, state_pb2
from mds.v1.edit_pb2 import UnitSelection
from mds.v1.operation_pb2 import CreateOperationRequest, Operation, OrderVerb
from mds.v1.operation_plan_pb2 import BlockedUnit, HitUnit, OperationPlan, PlannedStep
from mds.v1.unit_server_pb2 import UnitServerStatus

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite
from tests.webui.forms import form_in, plan_at, submit
from tests.webui.magnets import declare_magnets
from webui.operations.planned import plan_of
from webui.operations.standing import words_of
from webui.operations.verbs import orders_for

StartReplica = Callable[..., Awaitable[Replica]]
NEW = "/operations/new"
NOW = datetime(2026, 11, 22, 7, 41, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "offered", "not_offered"),
    [
        (state_pb2.STATE_RUNNING, "stop", "start"),
        (state_pb2.STATE_STOPPED, "start", "stop"),
        (state_pb2.STATE_RUNNING, "deinit", "recover"),
        (state_pb2.STATE_RECOVERABLE_ERROR, "recover", ""),
    ],
)
def test_a_unit_is_offered_what_would_change_it(
    state: state_pb2.State.ValueType, offered: str, not_offered: str
) -> None:
    names = [order.name for order in orders_for(control_unit_pb2.ControlUnitStatus(state=state))]
    assert offered in names
    assert not_offered not in names


def ended(contact: state_pb2.Contact.ValueType, *, end: bool = True) -> str:
    """What is said of a unit that ran."""
    status = control_unit_pb2.ControlUnitStatus(state=state_pb2.STATE_RUNNING, contact=contact)
    session = UnitServerStatus()
    if end:
        session.end_time.FromDatetime(NOW)
    return words_of(status, session, NOW)


def test_a_plan_says_since_when_nobody_is_in_touch_and_what_was_last_said() -> None:
    time = f"{NOW.astimezone():%H:%M:%S}"
    lost = ended(state_pb2.CONTACT_LOST)
    assert lost == f"lost since {time}, was Running"
    gone = ended(state_pb2.CONTACT_NONE)
    assert gone == f"without a process since {time}, was Running"
    assert ended(state_pb2.CONTACT_UNKNOWN, end=False) == "contact: Unknown, was Running"
    never = words_of(control_unit_pb2.ControlUnitStatus(), UnitServerStatus(), NOW)
    assert never == "Never reported"
    steps = [PlannedStep(control_unit=f"control_units/{name}") for name in "ABC"]
    steps.append(PlannedStep(control_unit="control_units/D", state=state_pb2.STATE_STOPPED))
    said = {"control_units/A": lost, "control_units/B": lost}
    (wave,) = plan_of(OperationPlan(steps=steps), said).waves
    assert wave.now == f"2 {lost}, 1 out of touch, 1 Stopped"


def test_a_plan_says_what_stands_against_it_and_whether_it_can_be_gone_on_with_even_so() -> None:
    unit = "control_units/RING/A"
    works = BlockedUnit(control_unit=unit, why="is in maintenance")
    needs = BlockedUnit(control_unit=unit, by="RING/B", why="requires RING/A")
    for blocked, words, even_so in (
        (works, works.why, False),
        (needs, "RING/B requires RING/A", True),
    ):
        plan = plan_of(OperationPlan(blocked=[blocked]), {})
        assert (plan.blocked.units[0].words, plan.is_stood_against) == (words, even_so)
    hit = HitUnit(control_unit="control_units/RING/B", through=unit)
    plan = plan_of(OperationPlan(steps=[PlannedStep(control_unit=unit)], hit=[hit]), {})
    assert plan.asks_for_count


async def test_an_order_is_planned_confirmed_by_its_size_and_given(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> None:
    replica = await start_replica(sqlite_database)
    ids = [f"RING/MAG/Q{number:02}" for number in range(12)]
    async with Client(replica.address) as client:
        await declare_magnets(client, *ids)
        site = await open_site(replica.address)
        text = await plan_at(site, f"{NEW}?verb=START&filter=zone%3DRING")
        assert "Start: 12 control units" in text
        assert "/control_units/RING/MAG/Q11" in text
        form = form_in(text, NEW)
        text = await submit(site, form, changed={"typed_count": "11"}, status=422)
        assert text.count("Nothing was ordered") == 1
        assert 'aria-invalid="true" aria-describedby=" typed_count-problem"' in text
        assert ">After<" not in text, "a column of nothing"
        assert [o async for o in client.operations.list()] == []

        # Somebody else is faster: what was seen is not what would be done.
        await declare_magnets(client, "RING/MAG/Q12")
        changed = {"typed_count": "12", "reason": "after the shutdown"}
        text = await submit(site, form_in(text, NEW), changed=changed, status=422)
        again = form_in(text, NEW)
        assert again.fields["count"] == "13"
        assert again.fields["reason"] == "after the shutdown"
        await submit(site, again, changed={"typed_count": "13"})
        (operation,) = [o async for o in client.operations.list()]
        assert (operation.verb, operation.reason) == (
            OrderVerb.ORDER_VERB_START,
            "after the shutdown",
        )


async def test_no_operation_of_others_is_ended_unseen(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client)
        site = await open_site(replica.address)
        form = form_in(await site.text(f"{NEW}?verb=start&id=RING/MAG/Q1"), NEW)
        theirs = await client.operations.CreateOperation(
            CreateOperationRequest(
                operation=Operation(
                    verb=OrderVerb.ORDER_VERB_INIT,
                    selection=UnitSelection(names=["control_units/RING/MAG/Q1"]),
                ),
                request_id="theirs",
            )
        )
        text = await submit(site, form, status=422)
        assert "Nothing was ordered." in text
        assert theirs.name in text, "it would end"
        assert [each.name async for each in client.operations.list()] == [theirs.name]
        await submit(site, form_in(text, NEW))
        assert len([each async for each in client.operations.list()]) == 2


async def test_the_order_to_one_unit_leads_back_to_its_page(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client)
        site = await open_site(replica.address)
        form = form_in(await site.text(f"{NEW}?verb=start&id=RING/MAG/Q1"), NEW)
        assert "Ordered." in await submit(site, form)
    for nothing in (
        "?verb=start",
        "?verb=jump&id=RING/MAG/Q1",
        "?verb=start&filter=zone%3DNO&whole=1",
        "?verb=start&filter=zune%3DNO&whole=1",
    ):
        text = await site.text(f"{NEW}{nothing}", status=422)
        assert 'role="alert">' in text
        assert form_in(text, NEW).method == "get"
    assert 'class="problems"' not in await site.text(NEW)
    assert "Start: 1 control unit" in await plan_at(site, f"{NEW}?verb=start&filter=id%3ARING/*")


async def test_a_page_comes_before_the_plan_of_many_and_of_few_with_it(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client)
        site = await open_site(replica.address)
        many = f"{NEW}?verb=start&" + "&".join(f"id=RING/MAG/Q{number}" for number in range(101))
        for path in (f"{NEW}?verb=start&all=1", f"{NEW}?verb=start&filter=zone%3DRING", many):
            text = await site.text(path)
            assert "Nothing is done yet" in text
            assert 'method="post" action="/operations/new"' not in text
        assert "Start: 1 control unit" in await site.text(f"{NEW}?verb=start&id=RING/MAG/Q1")
        replica.kill()
        assert "Nothing is done yet" in await site.text(f"{NEW}?verb=start&all=1")
