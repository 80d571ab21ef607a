"""Resources by their noun, against a real server."""

import asyncio
from typing import Any

import pytest
from mds.v1.control_unit_pb2 import ControlUnit, ListControlUnitsRequest
from mds.v1.error_reason_pb2 import ErrorReason
from mds.v1.template_pb2 import Template
from mds.v1.variable_pb2 import Variable

from control_units.client import (
    AlreadyExists,
    Client,
    Invalid,
    NotApplied,
    NotFound,
    Precondition,
    Stale,
    Unreachable,
)
from tests.stages.ports import free_port
from tests.stages.replica import Replica


async def create(client: Client, *ids: str) -> list[Variable]:
    return [
        await client.variables.create(Variable(name=f"variables/{id}", value="0"), reason="a test")
        for id in ids
    ]


async def test_a_resource_is_created_read_updated_and_deleted(client: Client) -> None:
    created = await client.variables.create(Variable(name="variables/A", value="1"))
    assert await client.variables.get("A") == await client.variables.get("variables/A") == created
    created.value = "2"
    created.description = "not in the mask"
    updated = await client.variables.update(created, "value", reason="a test")
    assert (updated.value, updated.description) == ("2", "")
    await client.variables.delete(updated)
    with pytest.raises(NotFound) as refused:
        await client.variables.get("A")
    assert refused.value.error_reason == ErrorReason.VARIABLE_NOT_FOUND


async def test_lists_go_over_pages(client: Client) -> None:
    ids = [f"A/{number}" for number in range(7)]
    await create(client, *ids, "B")
    listed = client.variables.list(id_prefix="A/")
    assert [client.variables.id(each) async for each in listed] == ids


async def test_the_request_of_the_contract_says_what_has_no_word_here(client: Client) -> None:
    await client.templates.create(Template(name="templates/T", implementation="T"))
    for id in ("DAFNE/A", "BTF/A"):
        unit = ControlUnit(name=f"control_units/{id}", template="templates/T")
        await client.control_units.create(unit)
    request = ListControlUnitsRequest(zone="BTF", page_size=1)
    found = [each.name async for each in client.control_units.list(request)]
    assert found == ["control_units/BTF/A"]


async def test_lists_are_filtered_and_sorted(client: Client) -> None:
    for id, value in (("A", "3"), ("B", "1"), ("C", "2")):
        text = "in use" if id == "A" else "spare"
        await client.variables.create(
            Variable(name=f"variables/{id}", value=value, description=text)
        )
    spare = client.variables.list(filter="description=spare", order_by="id desc")
    assert [client.variables.id(each) async for each in spare] == ["C", "B"]


async def test_the_past_is_read_as_of_a_revision(client: Client) -> None:
    (created,) = await create(client, "A")
    await client.variables.change("A", lambda variable: setattr(variable, "value", "9"))
    then = await client.variables.get("A", as_of=str(created.revision))
    assert then.value == "0"


async def test_each_kind_of_refusal_has_its_class(client: Client) -> None:
    (created,) = await create(client, "A")
    with pytest.raises(AlreadyExists):
        await create(client, "A")
    with pytest.raises(Invalid) as invalid:
        await create(client, "a//b")
    assert invalid.value.error_reason == ErrorReason.INVALID_ID
    with pytest.raises(Precondition) as precondition:
        await client.variables.delete("A")
    assert precondition.value.error_reason == ErrorReason.ETAG_REQUIRED
    await client.variables.change("A", lambda variable: setattr(variable, "value", "1"))
    created.value = "2"
    with pytest.raises(Stale) as stale:
        await client.variables.update(created, "value")
    (conflict,) = stale.value.conflicts
    assert [each.path for each in conflict.fields] == ["value"]


async def test_a_change_is_made_again_on_what_others_have_made(client: Client) -> None:
    await create(client, "A")

    def count(variable: Variable) -> None:
        variable.value = str(int(variable.value) + 1)

    await asyncio.gather(*(client.variables.change("A", count) for _ in range(8)))
    assert (await client.variables.get("A")).value == "8"


async def test_a_change_that_changes_nothing_writes_nothing(client: Client) -> None:
    (created,) = await create(client, "A")
    assert await client.variables.change("A", lambda _: None) == created


async def test_a_change_that_is_beaten_each_time_ends_with_its_time(client: Client) -> None:
    (created,) = await create(client, "A")

    def too_late(variable: Variable) -> None:
        variable.value = "7"
        variable.etag = f"{created.revision - 1}"

    with pytest.raises(Stale):
        await client.variables.change("A", too_late, timeout=1.5)


async def test_a_delete_says_what_it_has_seen(client: Client) -> None:
    (created,) = await create(client, "A")
    await client.variables.change("A", lambda variable: setattr(variable, "value", "1"))
    with pytest.raises(Stale):
        await client.variables.delete(created)
    await client.variables.delete("A", etag="*", validate_only=True)
    await client.variables.delete("A", etag="*")


async def test_every_kind_can_be_listed(client: Client) -> None:
    nouns: list[Any] = [
        client.agents, client.agent_statuses, client.campaigns, client.control_units,
        client.control_unit_statuses, client.execution_units, client.guards,
        client.machine_modes, client.maintenances, client.operations,
        client.policies, client.scripts, client.snapshots, client.templates, client.unit_lists,
        client.unit_servers, client.unit_server_statuses, client.variables,
    ]  # fmt: skip
    for noun in nouns:
        assert [each async for each in noun.list()] == [], noun.collection


async def test_resources_of_any_kinds_are_applied_as_one_change(client: Client) -> None:
    unit = ControlUnit(name="control_units/A/B", template="templates/T")
    template = Template(name="templates/T", implementation="T")
    outcome = await client.apply([unit, template], reason="a test")
    assert outcome.summary.created == 2
    exported = [each async for each in client.export(id_prefix="")]
    assert [each.name for each in exported] == ["templates/T", "control_units/A/B"]
    unit.description = "replaced"
    assert (await client.apply([unit], reason="again")).summary.changed == 1


async def test_a_bundle_with_a_problem_is_an_error_and_changes_nothing(client: Client) -> None:
    unit = ControlUnit(name="control_units/A", template="templates/none")
    with pytest.raises(NotApplied, match=r"\[1\].*templates/none") as refused:
        await client.apply([Variable(name="variables/A", value="1"), unit])
    (problem,) = refused.value.outcome.problems
    assert problem.name == "control_units/A"
    assert [each async for each in client.export()] == []
    with pytest.raises(TypeError, match="no resource"):
        await client.apply([ListControlUnitsRequest()])


async def test_a_bundle_that_no_server_takes_is_given_up_with_the_clients_time() -> None:
    async with Client(f"127.0.0.1:{free_port()}", timeout=0.5) as client:
        with pytest.raises(Unreachable):
            await client.apply([Variable(name="variables/A", value="1")])


async def test_a_bundle_waits_for_a_server_that_comes_back(client: Client, server: Replica) -> None:
    server.kill()
    applying = asyncio.ensure_future(client.apply([Variable(name="variables/A", value="1")]))
    await server.start()
    assert (await applying).summary.created == 1
