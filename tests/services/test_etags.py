"""A stale etag: what was read, what was sent and what is there now, field by field."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import delete

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.conflict import Conflict, FieldConflict
from metadata_server.domain.intent.attribute import AttributeOverride
from metadata_server.domain.intent.facility import Agent, ExecutionUnit, Snapshot
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.resources import Resources
from metadata_server.store.schema import history
from metadata_server.store.store import Store

Call = Callable[..., Caller]
R = TypeVar("R", bound=Resource)
RITA = Principal("rita")


@pytest.fixture
def resources(store: Store) -> Resources:
    return Resources(store)


async def conflict_of(
    resources: Resources,
    caller: Caller,
    resource: R,
    *,
    etag: str,
    change: Callable[[R], R],
) -> Conflict:
    """What a stale change of a resource is told."""
    with pytest.raises(Refused, match="ETAG_MISMATCH") as caught:
        await resources.update(
            caller, type(resource), resource.id, etag=etag, change=change, validate_only=False
        )
    (conflict,) = caught.value.conflicts
    return conflict


async def changed_by_rita(resources: Resources, caller: Caller, host: str, row: str = "1") -> Agent:
    """An agent after somebody else has changed it."""
    answer = await resources.update(
        replace(caller, principal=RITA, reason="a new machine"),
        Agent,
        "a",
        etag="*",
        change=lambda agent: replace(agent, host=host, labels={"row": row}),
        validate_only=False,
    )
    return answer.value


async def test_a_stale_change_is_told_read_sent_and_now_and_who_was_quicker(
    resources: Resources, call: Call
) -> None:
    agent = Agent(id="a", host="old", labels={"row": "1"})
    read = (await resources.create(call(), agent, validate_only=False)).value
    now = await changed_by_rita(resources, call(), "theirs", "2")
    conflict = await conflict_of(
        resources,
        call(),
        read,
        etag=read.etag,
        change=lambda agent: replace(agent, host="mine", description="x"),
    )
    assert (conflict.name, conflict.read_etag, conflict.etag) == ("agents/a", read.etag, now.etag)
    assert (conflict.author, conflict.reason) == ("rita", "a new machine")
    assert conflict.fields == (
        FieldConflict("host", "old", "mine", "theirs"),
        FieldConflict("description", None, "x", None),
        FieldConflict("labels[row]", "1", "1", "2"),
    )


async def test_lists_are_compared_by_what_their_members_are_called(
    resources: Resources, call: Call
) -> None:
    first = AttributeOverride("current", {"maximum": "0x0A"})
    unit = ExecutionUnit(id="e", overrides=(first,))
    read = (await resources.create(call(), unit, validate_only=False)).value
    second = AttributeOverride("a", {"minimum": "1"})
    await resources.update(
        call(),
        ExecutionUnit,
        "e",
        etag=read.etag,
        change=lambda unit: replace(unit, overrides=(second, first)),
        validate_only=False,
    )
    wider = AttributeOverride("current", {"maximum": "12"})
    conflict = await conflict_of(
        resources,
        call(),
        read,
        etag=read.etag,
        change=lambda unit: replace(unit, overrides=(wider,)),
    )
    assert conflict.fields == (
        FieldConflict("overrides[a].minimum", None, None, "1"),
        FieldConflict("overrides[current].maximum", "0x0A", "12", "0x0A"),
    )


async def test_a_stale_deletion_is_told_what_has_changed(resources: Resources, call: Call) -> None:
    read = (
        await resources.create(
            call(), Agent(id="a", host="old", labels={"row": "1"}), validate_only=False
        )
    ).value
    await changed_by_rita(resources, call(), "new")
    with pytest.raises(Refused, match="ETAG_MISMATCH") as caught:
        await resources.delete(call(), Agent, "a", etag=read.etag, validate_only=False)
    (conflict,) = caught.value.conflicts
    assert conflict.fields == (FieldConflict("host", "old", None, "new"),)


@pytest.mark.parametrize("etag", ["7x", "999999", "0", "½"])
async def test_an_etag_that_nobody_was_given_has_nothing_that_was_read(
    resources: Resources, call: Call, etag: str
) -> None:
    agent = Agent(id="a", host="old")
    await resources.create(call(), agent, validate_only=False)
    conflict = await conflict_of(
        resources, call(), agent, etag=etag, change=lambda agent: replace(agent, host="mine")
    )
    assert conflict.fields == (FieldConflict("host", None, "mine", "old"),)


async def test_a_reading_whose_image_is_trimmed_is_compared_with_what_is_there(
    store: Store, resources: Resources, call: Call
) -> None:
    snapshot = Snapshot(id="s", description="old")
    read = (await resources.create(call(), snapshot, validate_only=False)).value
    await resources.update(
        call(),
        Snapshot,
        "s",
        etag="*",
        change=lambda each: replace(each, description="new"),
        validate_only=False,
    )
    gone = delete(history).where(history.c.revision == read.meta.revision)
    await store.transact(lambda unit: unit.connection.execute(gone).rowcount)
    conflict = await conflict_of(
        resources,
        call(),
        read,
        etag=read.etag,
        change=lambda each: replace(each, description="mine"),
    )
    assert conflict.fields == (FieldConflict("description", None, "mine", "new"),)


async def test_what_cannot_be_read_of_a_stale_change_does_not_hide_the_conflict(
    resources: Resources, call: Call
) -> None:
    read = (
        await resources.create(
            call(), Agent(id="a", host="old", labels={"row": "1"}), validate_only=False
        )
    ).value
    await changed_by_rita(resources, call(), "new")

    def broken(_: Agent) -> Agent:
        raise Refused.invalid("INVALID_FIELD", "not readable")

    conflict = await conflict_of(resources, call(), read, etag=read.etag, change=broken)
    assert conflict.fields == (FieldConflict("host", "old", None, "new"),)
