"""The role that giving an operation took is kept with it."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from metadata_server.domain.access.role import Role
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.orchestration.operation import Operation, Order, Phase
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.orchestration.advance import caller_of
from metadata_server.store.orchestration.operation_tables import operation as table
from metadata_server.store.orchestration.operations import (
    get_operation,
    insert_operation,
    write_operation,
)
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

CALLER = Caller(principal=Principal("shift"), method="Operations.CreateOperation")


async def kept(store: Store, operation: Operation) -> Operation:
    """An operation as it is read, once it was written and has changed."""

    def insert(unit: UnitOfWork) -> None:
        insert_operation(unit, operation, due_us=None)

    def change(unit: UnitOfWork) -> None:
        there = get_operation(unit, operation.id, lock=True)
        write_operation(unit, there, due_us=None, fence=there.fence)

    await store.transact(insert, caller=CALLER)
    await store.transact(change)
    return (await store.read(lambda unit: get_operation(unit, operation.id))).value


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.EXPERT])
async def test_steps_are_written_with_the_role_that_the_operation_took(
    store: Store, role: Role
) -> None:
    order = Order(verb=Verb.EDIT)
    found = await kept(store, Operation(id="o", key=1, order=order, phase=Phase.PENDING, role=role))
    assert found.role is role
    assert caller_of(found, "replica").principal.role is role


@pytest.mark.parametrize(("verb", "role"), [("EDIT", "EXPERT"), ("START", "OPERATOR")])
async def test_one_that_an_earlier_release_wrote_takes_what_its_verb_may_take(
    store: Store, verb: str, role: str
) -> None:
    order = Order(verb=Verb(verb))
    await kept(store, Operation(id="o", key=1, order=order, phase=Phase.PENDING))

    def forget(unit: UnitOfWork) -> None:
        body = json.loads(unit.connection.execute(select(table.c.body)).scalar_one())
        del body["role"]
        unit.connection.execute(table.update().values(body=json.dumps(body)))

    await store.transact(forget)
    found = (await store.read(lambda unit: get_operation(unit, "o"))).value
    assert found.role is Role(role)
