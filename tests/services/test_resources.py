"""Single resources: etags, request ids, trials, references, versions of templates."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    ValueType,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent, Variable
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.store.store import Store
from tests.stages.shelves import shelf_of

Call = Callable[..., Caller]
CURRENT = Attribute(
    "current", Direction.INPUT, ValueType.DOUBLE, facets={"minimum": "0", "maximum": "10"}
)


@pytest.fixture
def resources(store: Store) -> Resources:
    return Resources(store)


async def declare_supply(resources: Resources, caller: Caller) -> ControlUnit:
    template = Template(id="Supply", implementation="::Supply", attributes=(CURRENT,))
    await resources.create(caller, template, validate_only=False)
    await resources.create(caller, UnitServer(id="US"), validate_only=False)
    unit = ControlUnit(id="A/PS", template="Supply", unit_server="US")
    return (await resources.create(caller, unit, validate_only=False)).value


async def test_a_unit_pins_the_newest_version_of_its_template(
    resources: Resources, call: Call
) -> None:
    unit = await declare_supply(resources, call())
    assert unit.template_version == 1


async def test_a_changed_template_gets_its_next_version_and_the_old_one_stays(
    resources: Resources, call: Call
) -> None:
    unit = await declare_supply(resources, call())
    wider = replace(CURRENT, facets={"minimum": "0", "maximum": "20"})
    answer = await resources.update(
        call(),
        Template,
        "Supply",
        etag="*",
        change=lambda before: replace(before, attributes=(wider,)),
        validate_only=False,
    )
    assert answer.value.version == 2
    assert (await resources.get_version("Supply", 1)).value.attributes == (CURRENT,)
    assert (await resources.get_version("Supply", 0)).value.attributes == (wider,)
    assert (await resources.get(ControlUnit, unit.id)).value.template_version == 1
    with pytest.raises(Refused, match="TEMPLATE_NOT_FOUND"):
        await resources.get_version("Supply", 3)


async def test_what_is_there_is_not_created_again(resources: Resources, call: Call) -> None:
    await resources.create(call(), Agent(id="a"), validate_only=False)
    with pytest.raises(Refused, match="ALREADY_EXISTS"):
        await resources.create(call(), Agent(id="a"), validate_only=False)


@pytest.mark.parametrize(("etag", "reason"), [("", "ETAG_REQUIRED"), ("12345", "ETAG_MISMATCH")])
async def test_a_change_wants_the_etag_that_was_read(
    resources: Resources, call: Call, etag: str, reason: str
) -> None:
    await resources.create(call(), Agent(id="a"), validate_only=False)
    with pytest.raises(Refused, match=reason):
        await resources.update(
            call(),
            Agent,
            "a",
            etag=etag,
            change=lambda agent: replace(agent, host="h"),
            validate_only=False,
        )


async def test_equal_content_writes_nothing(resources: Resources, call: Call) -> None:
    created = await resources.create(call(), Agent(id="a", host="h"), validate_only=False)
    answer = await resources.update(
        call(),
        Agent,
        "a",
        etag=created.value.etag,
        change=lambda agent: replace(agent, host="h"),
        validate_only=False,
    )
    assert answer.position == created.position
    assert answer.value.etag == created.value.etag


async def test_a_trial_says_what_would_be_and_writes_nothing(
    resources: Resources, call: Call
) -> None:
    answer = await resources.create(call(request_id="r"), Agent(id="a"), validate_only=True)
    assert answer.value == Agent(id="a")
    with pytest.raises(Refused, match="AGENT_NOT_FOUND"):
        await resources.get(Agent, "a")
    await resources.create(call(request_id="r"), Agent(id="a"), validate_only=False)


async def test_a_repeated_request_gets_the_first_answer_though_more_has_happened(
    resources: Resources, call: Call
) -> None:
    once = call(request_id="r1", payload_hash="h")
    first = await resources.create(once, Agent(id="a", host="1"), validate_only=False)
    await resources.update(
        call(),
        Agent,
        "a",
        etag="*",
        change=lambda agent: replace(agent, host="2"),
        validate_only=False,
    )
    again = await resources.create(once, Agent(id="a", host="1"), validate_only=False)
    assert again.value == first.value
    assert again.value.etag == first.value.etag
    assert (await resources.get(Agent, "a")).value.host == "2"


async def test_a_repeated_deletion_gets_the_position_of_the_first(
    resources: Resources, call: Call
) -> None:
    await resources.create(call(), Agent(id="a"), validate_only=False)
    once = call(request_id="r1", payload_hash="h")
    first = await resources.delete(once, Agent, "a", etag="*", validate_only=False)
    await resources.create(call(), Agent(id="b"), validate_only=False)
    again = await resources.delete(once, Agent, "a", etag="*", validate_only=False)
    assert again.position == first.position


async def test_a_request_id_is_not_for_another_payload(resources: Resources, call: Call) -> None:
    await resources.create(
        call(request_id="r1", payload_hash="1"), Agent(id="a"), validate_only=False
    )
    with pytest.raises(Refused, match="REQUEST_ID_REUSED"):
        await resources.create(
            call(request_id="r1", payload_hash="2"), Agent(id="b"), validate_only=False
        )


async def test_all_wrong_fields_are_told_at_once(resources: Resources, call: Call) -> None:
    await declare_supply(resources, call())
    unit = ControlUnit(
        id="A/PS2",
        template="Supply",
        unit_server="NOWHERE",
        overrides=(AttributeOverride("current", {"maximum": "ten"}),),
    )
    with pytest.raises(Refused) as refused:
        await resources.create(call(), unit, validate_only=False)
    assert {field.field for field in refused.value.fields} == {
        "unit_server",
        "overrides[0].maximum",
    }


async def test_a_unit_of_no_template_is_refused(resources: Resources, call: Call) -> None:
    with pytest.raises(Refused, match="TEMPLATE_NOT_FOUND"):
        await resources.create(
            call(), ControlUnit(id="A/PS", template="Nothing"), validate_only=False
        )


async def test_what_others_use_is_not_deleted(resources: Resources, call: Call) -> None:
    await declare_supply(resources, call())
    for type_, id in ((Template, "Supply"), (UnitServer, "US")):
        with pytest.raises(Refused, match=r"STILL_IN_USE.*control_units/A/PS"):
            await resources.delete(call(), type_, id, etag="*", validate_only=False)
    await resources.delete(call(), ControlUnit, "A/PS", etag="*", validate_only=False)
    await resources.delete(call(), Template, "Supply", etag="*", validate_only=False)
    await resources.delete(call(), UnitServer, "US", etag="*", validate_only=False)


async def test_an_agent_that_launches_is_not_deleted(resources: Resources, call: Call) -> None:
    await resources.create(call(), Agent(id="a"), validate_only=False)
    server = UnitServer(id="US", launch=Launch(agent="a", command="run"))
    await resources.create(call(), server, validate_only=False)
    assert (await resources.get(UnitServer, "US")).value == server
    with pytest.raises(Refused, match="STILL_IN_USE"):
        await resources.delete(call(), Agent, "a", etag="*", validate_only=False)


async def test_all_pages_show_what_the_first_one_saw(resources: Resources, call: Call) -> None:
    for number in range(5):
        await resources.create(call(), Variable(id=f"v{number}", value="0"), validate_only=False)
    selection = Selection(kind=Kind.VARIABLE)
    shelf = shelf_of(Variable)
    first = (await resources.list(Variable, selection, shelf, size=2, token="")).value
    await resources.delete(call(), Variable, "v3", etag="*", validate_only=False)
    await resources.create(call(), Variable(id="v2b", value="1"), validate_only=False)
    found, page = list(first.items), first
    while page.next_page_token:
        token = page.next_page_token
        page = (await resources.list(Variable, selection, shelf, size=2, token=token)).value
        found += page.items
    assert [variable.id for variable in found] == ["v0", "v1", "v2", "v3", "v4"]
