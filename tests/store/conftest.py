"""A store for the tests of this floor, on each kind of database."""

from collections.abc import Iterator

import pytest

from metadata_server.domain.change import Caller, Principal
from metadata_server.store.store import Store
from tests.stages.opened_store import opened_store


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with opened_store(database) as store:
        yield store


@pytest.fixture
def caller() -> Caller:
    return Caller(principal=Principal("tester"), method="Tests.Change", reason="a test")
