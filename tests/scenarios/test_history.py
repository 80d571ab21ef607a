"""A change is seen, compared, taken back and done again, through the client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
from mds.v1 import agent_pb2, bundle_pb2, history_pb2, kind_pb2, variable_pb2

from control_units.client import Client, Refused
from tests.stages.replica import Replica

StartReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address, principal="rita", program="tests/1") as client:
        yield client


async def apply(client: Client, *agents: agent_pb2.Agent, removed: str = "", reason: str) -> int:
    """Applies agents as one change set; its revision."""
    items = [bundle_pb2.BundleItem(agent=agent) for agent in agents]
    if removed:
        items.append(bundle_pb2.BundleItem(removed=removed))
    header = bundle_pb2.BundleHeader(reason=reason, on_conflict=bundle_pb2.ON_CONFLICT_REPLACE)

    async def requests() -> AsyncIterator[bundle_pb2.ApplyRequest]:
        yield bundle_pb2.ApplyRequest(header=header)
        yield bundle_pb2.ApplyRequest(items=items, end=True)

    replies = [reply async for reply in client.bundles.Apply(requests())]
    assert replies[-1].summary.applied
    return replies[-1].summary.position.revision


def agent(id: str, host: str) -> agent_pb2.Agent:
    return agent_pb2.Agent(name=f"agents/{id}", host=host)


async def hosts(client: Client) -> dict[str, str]:
    listed = await client.agents.ListAgents(agent_pb2.ListAgentsRequest())
    return {each.name: each.host for each in listed.agents}


async def compare(client: Client, **request: Any) -> list[history_pb2.Difference]:
    wanted = history_pb2.CompareRequest(**request)
    return [each async for reply in client.history.Compare(wanted) for each in reply.differences]


def undo(revision: int, **more: Any) -> history_pb2.UndoRequest:
    return history_pb2.UndoRequest(name=f"change_sets/{revision}", reason="wrong", **more)


async def test_a_night_of_changes_is_seen_and_taken_back(client: Client) -> None:
    first = await apply(client, agent("a", "h1"), agent("b", "h1"), reason="new")
    before = await hosts(client)
    night = await apply(
        client, agent("a", "h2"), agent("c", "h2"), removed="agents/b", reason="night"
    )
    told = await client.history.GetChangeSet(
        history_pb2.GetChangeSetRequest(name=f"change_sets/{night}")
    )
    assert (told.author, told.reason, told.client) == ("rita", "night", "tests/1")
    assert (told.created, told.updated, told.deleted) == (1, 1, 1)
    assert told.method == "Bundles.Apply"
    changes = await client.history.ListChanges(
        history_pb2.ListChangesRequest(name="agents/a", page_size=1)
    )
    (change,) = changes.changes
    assert change.change_set.revision == night
    (field,) = change.differences
    assert (field.path, field.before, field.after) == ("host", "h1", "h2")
    assert changes.next_page_token
    between = await compare(client, **{"from": str(first)}, kinds=[kind_pb2.KIND_AGENT])
    assert [(each.name, each.action) for each in between] == [
        ("agents/a", history_pb2.CHANGE_ACTION_UPDATED),
        ("agents/b", history_pb2.CHANGE_ACTION_DELETED),
        ("agents/c", history_pb2.CHANGE_ACTION_CREATED),
    ]
    done = await client.history.Undo(undo(night))
    assert done.count == 3
    assert {result.name: result.action for result in done.results} == {
        "agents/a": bundle_pb2.ITEM_ACTION_CHANGED,
        "agents/b": bundle_pb2.ITEM_ACTION_CREATED,
        "agents/c": bundle_pb2.ITEM_ACTION_REMOVED,
    }
    assert await hosts(client) == before
    assert await compare(client, **{"from": str(first)}) == []
    sets = await client.history.ListChangeSets(history_pb2.ListChangeSetsRequest(author="rita"))
    assert [each.revision for each in sets.change_sets] == [done.position.revision, night, first]
    assert sets.change_sets[0].method == "History.Undo"
    redone = await client.history.Undo(undo(done.position.revision))
    assert redone.count == 3
    assert await hosts(client) == {"agents/a": "h2", "agents/c": "h2"}


async def test_what_somebody_changed_since_is_named_and_can_be_left_out(
    client: Client, replica: Replica
) -> None:
    await apply(client, agent("a", "h1"), agent("b", "h1"), reason="new")
    night = await apply(client, agent("a", "h2"), agent("b", "h2"), reason="night")
    async with Client(replica.address, principal="otto") as otto:
        await apply(otto, agent("b", "h3"), reason="moved again")
    with pytest.raises(Refused, match="CHANGED_SINCE") as refused:
        await client.history.Undo(undo(night))
    assert refused.value.code is grpc.StatusCode.ABORTED
    (conflict,) = refused.value.conflicts
    assert (conflict.name, conflict.author, conflict.reason) == ("agents/b", "otto", "moved again")
    (field,) = conflict.fields
    assert (field.path, field.read, field.sent, field.now) == ("host", "h2", "h1", "h3")
    trial = await client.history.Undo(undo(night, skip_invalid=True, validate_only=True))
    assert (trial.count, await hosts(client)) == (1, {"agents/a": "h2", "agents/b": "h3"})
    done = await client.history.Undo(undo(night, skip_invalid=True))
    (problem,) = done.problems
    assert (problem.name, problem.reason, problem.field) == ("agents/b", "CHANGED_SINCE", "host")
    assert "otto" in problem.message
    assert await hosts(client) == {"agents/a": "h1", "agents/b": "h3"}


async def test_a_deleted_variable_is_reverted_as_of_a_time(client: Client) -> None:
    variable = variable_pb2.Variable(name="variables/v", value='{"b": 1.0, "a": 2}')
    await client.variables.CreateVariable(variable_pb2.CreateVariableRequest(variable=variable))
    made = await client.history.GetChangeSet(history_pb2.GetChangeSetRequest(name="change_sets/1"))
    await client.variables.DeleteVariable(
        variable_pb2.DeleteVariableRequest(name="variables/v", etag="*")
    )
    request = history_pb2.RevertRequest(
        name="variables/v", as_of=made.time.ToJsonString(), etag="*", reason="missed"
    )
    reverted = await client.history.Revert(request)
    assert reverted.result.action == bundle_pb2.ITEM_ACTION_CREATED
    now = await client.variables.GetVariable(variable_pb2.GetVariableRequest(name="variables/v"))
    assert now.value == variable.value
    assert now.etag == str(reverted.position.revision)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda c: c.Undo(history_pb2.UndoRequest(name="change_sets/x")), "INVALID_ID: name"),
        (lambda c: c.Undo(undo(77)), "CHANGE_SET_NOT_FOUND"),
        (
            lambda c: c.ListChanges(history_pb2.ListChangesRequest(since="yesterday")),
            "INVALID_FIELD: since",
        ),
        (lambda c: c.ListChanges(history_pb2.ListChangesRequest(name="x/y")), "INVALID_ID: name"),
        (
            lambda c: c.ListChanges(history_pb2.ListChangesRequest(name="agents/nobody")),
            "AGENT_NOT_FOUND",
        ),
        (
            lambda c: c.ListChangeSets(history_pb2.ListChangeSetsRequest(page_token="x")),
            "INVALID_PAGE_TOKEN",
        ),
        (
            lambda c: c.Revert(history_pb2.RevertRequest(name="agents/a", etag="*")),
            "INVALID_FIELD: as_of",
        ),
    ],
)
async def test_a_bad_request_is_refused_with_what_would_be_right(
    start_replica: StartReplica, sqlite_database: str, call: Any, told: str
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        with pytest.raises(Refused, match=told):
            await call(client.history)
