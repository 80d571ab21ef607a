"""Campaigns: what counts for them, and what is refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.filter.vocabulary import CAMPAIGN_SUMS
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.template import Template
from metadata_server.domain.orchestration.campaign import Campaign, CampaignSums
from metadata_server.domain.orchestration.operation import Operation, Order
from metadata_server.domain.orchestration.operation_list import OperationSelection
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.services.orchestration.campaigns import Campaigns
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.store.orchestration.operation_tables import operation_step
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

Call = Callable[..., Caller]


@pytest.fixture
async def operations(store: Store, call: Call) -> Operations:
    resources = Resources(store)
    for each in (
        Template(id="Supply", implementation="::Supply"),
        *(ControlUnit(id=id, template="Supply") for id in ("A", "B", "C", "D")),
        Campaign(id="degauss", target_units=4),
        Campaign(id="other"),
    ):
        await resources.create(call(), each, validate_only=False)
    return Operations(store, on_due=lambda: None)


async def give(
    operations: Operations, call: Call, *ids: str, campaign: str = "degauss"
) -> Operation:
    order = Order(verb=Verb.START, selection=UnitSelection(ids=ids), campaign=campaign)
    return (await operations.create(call(), order, Giving())).value


async def stand(store: Store, call: Call, given: Operation, **states: str) -> None:
    """Has steps of an operation stand in some states, by id; `attempts` grow with each word."""

    def work(unit: UnitOfWork) -> None:
        for id, words in states.items():
            *tries, state = words.split()
            unit.connection.execute(
                operation_step.update()
                .where(
                    operation_step.c.operation_key == given.key,
                    operation_step.c.control_unit == id,
                )
                .values(state=state, attempts=len(tries) + 1)
            )

    await store.transact(work, caller=call())


async def sums(store: Store, *ids: str) -> dict[str, CampaignSums]:
    page = (await Campaigns(store).sums(ids, AskedList(word=CAMPAIGN_SUMS))).value
    return {each.campaign: each for each in page.items}


async def test_units_count_once_by_the_newest_operation_of_the_campaign(
    operations: Operations, store: Store, call: Call
) -> None:
    first = await give(operations, call, "A", "B", "C")
    await stand(store, call, first, A="COMPLETED", B="ERROR", C="ERROR COMPLETED")
    second = await give(operations, call, "B", "D")
    await give(operations, call, "A", campaign="other")
    expected = CampaignSums(campaign="degauss", operations=2, reached=2, retried=2, under_way=2)
    assert (await sums(store, "degauss"))["degauss"] == expected
    assert expected.requested == 4
    await stand(store, call, second, B="COMPLETED", D="ABORTED")
    await stand(store, call, first, B="ERROR")
    told = (await sums(store))["degauss"]
    assert (told.reached, told.failed, told.left_out, told.under_way) == (3, 0, 1, 0)
    third = await give(operations, call, "B")
    await stand(store, call, third, B="ERROR")
    both = await sums(store)
    assert (both["degauss"].reached, both["degauss"].failed, both["degauss"].retried) == (2, 1, 2)
    assert both["other"] == CampaignSums(campaign="other", operations=1, under_way=1)


async def test_operations_of_a_campaign_are_listed(operations: Operations, call: Call) -> None:
    given = await give(operations, call, "A")
    await give(operations, call, "B", campaign="")
    for campaign, expected in (("degauss", [given.id]), ("other", []), ("gone", [])):
        selection = OperationSelection(campaign=campaign)
        found = (await operations.list(selection, size=9, token="")).value
        assert [each.id for each in found.operations] == expected
    assert (await operations.get(given.id)).value.order.campaign == "degauss"


async def test_a_campaign_that_is_closed_or_gone_takes_no_orders(
    operations: Operations, store: Store, call: Call
) -> None:
    await Resources(store).update(
        call(),
        Campaign,
        "degauss",
        etag="*",
        change=lambda there: replace(there, closed=True),
        validate_only=False,
    )
    for campaign, reason in (("degauss", "CAMPAIGN_CLOSED"), ("gone", "CAMPAIGN_NOT_FOUND")):
        with pytest.raises(Refused) as refused:
            await give(operations, call, "A", campaign=campaign)
        assert refused.value.reason == reason
    with pytest.raises(Refused, match="CAMPAIGN_NOT_FOUND"):
        await sums(store, "gone")


async def test_sums_come_in_pages(operations: Operations, store: Store) -> None:
    campaigns, one = Campaigns(store), AskedList(word=CAMPAIGN_SUMS, size=1)
    for ids in ((), ("other", "degauss")):
        first = (await campaigns.sums(ids, one)).value
        last = (await campaigns.sums(ids, replace(one, token=first.next_page_token))).value
        assert [each.campaign for each in (*first.items, *last.items)] == ["degauss", "other"]
        assert last.next_page_token == ""
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        await campaigns.sums((), replace(one, token="nonsense"))
