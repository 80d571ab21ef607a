"""The facility's numbers for Prometheus, which asks every few seconds and does not wait long."""

import asyncio
import threading
import time
from typing import Any

import pytest
from sqlalchemy import event

from metadata_server.services.counts import LONGEST_S, Counts
from metadata_server.services.replicas import Replicas
from metadata_server.services.watching.overview import Overviews
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.store import Store
from tests.stages.mariadb import MariaDB
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until


async def test_a_silent_database_keeps_no_scrape_waiting_and_leaves_no_old_number(
    mariadb: MariaDB, mariadb_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metadata_server.services.counts.AGE_S", 0.0)
    with opened_store(mariadb_database) as store:
        counts = Counts(store, Overviews(store, Tailer(store), age_s=600), Replicas(store))
        assert await counts.read() is not None
        monkeypatch.setattr("metadata_server.services.counts.OLDEST_S", LONGEST_S)
        mariadb.pause()
        began = time.monotonic()
        async with asyncio.timeout(2 * LONGEST_S):
            assert await counts.read() is None
        assert counts.counted is None
        monkeypatch.setattr("metadata_server.services.counts.AGE_S", 60.0)
        async with asyncio.timeout(LONGEST_S / 2):
            assert await counts.read() is None, "who asks next waits for nothing"
        assert time.monotonic() - began >= LONGEST_S
        mariadb.resume()
        monkeypatch.setattr("metadata_server.services.counts.AGE_S", 0.0)
        await until(counts.read, what="numbers again")


async def test_what_is_counted_too_late_for_one_scrape_is_told_to_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    @event.listens_for(store.database.reading, "before_cursor_execute")
    def take_long(*_: Any) -> None:
        goes_on.wait(30)

    monkeypatch.setattr("metadata_server.services.counts.LONGEST_S", 0.05)
    monkeypatch.setattr("metadata_server.services.counts.AGE_S", 60.0)
    counts = Counts(store, Overviews(store, Tailer(store), age_s=600), Replicas(store))
    try:
        assert await counts.read() is None
        goes_on.set()
        found = await until(counts.read, what="the numbers that came late")
        goes_on.clear()
        monkeypatch.setattr("metadata_server.services.counts.AGE_S", 0.0)
        for _ in range(2):
            assert await counts.read() is found, "until there are newer ones"
        monkeypatch.setattr("metadata_server.services.counts.OLDEST_S", 0.0)
        assert counts.counted is None
    finally:
        goes_on.set()
