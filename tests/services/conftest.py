"""A store for the tests of this floor, on each kind of database."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from metadata_server.domain.change import Caller, Principal
from metadata_server.store.store import Store
from tests.stages.opened_store import opened_store


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with opened_store(database) as store:
        yield store


@pytest.fixture
def call() -> Callable[..., Caller]:
    """Makes callers: `call(request_id="r1", payload_hash="…")`."""
    plain = Caller(principal=Principal("tester"), method="Tests.Change", reason="a test")
    return lambda **changes: replace(plain, **changes)
