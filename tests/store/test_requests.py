"""Repetitions that come while the first call is still at work."""

import asyncio
import threading
from dataclasses import replace

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.facility import Agent
from metadata_server.store import requests
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

DEADLINE_S = 10.0


async def test_a_repetition_that_waited_is_not_answered_as_of_before_what_the_first_call_did(
    mariadb_database: str, caller: Caller
) -> None:
    once = replace(caller, request_id="r", payload_hash="h")
    first_has_written, second_has_begun = threading.Event(), threading.Event()

    def first(unit: UnitOfWork) -> None:
        assert requests.repeated(unit) is None
        unit.save(Agent(id="a"))
        requests.remember(unit, {})
        first_has_written.set()
        assert second_has_begun.wait(DEADLINE_S)

    def second(unit: UnitOfWork) -> int:
        second_has_begun.set()
        found = requests.repeated(unit)
        assert found is not None
        return found.revision

    with opened_store(mariadb_database) as store:
        writing = asyncio.create_task(store.transact(first, caller=once))
        assert await asyncio.to_thread(first_has_written.wait, DEADLINE_S)
        again = await store.transact(second, caller=once)
        written = await writing
    assert again.value == written.position.revision
    assert again.position == written.position
