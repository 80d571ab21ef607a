"""What every call goes through, whoever ends it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextvars import Context as Variables
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from metadata_server.api.access import OpenGate
from metadata_server.api.calls import REST, CallFigures, Calls, calling, nothing
from metadata_server.api.door import Door
from metadata_server.api.rest.context import RestContext, refuse
from metadata_server.domain.client_limits import ClientLimits
from metadata_server.services.admission import Admission
from metadata_server.services.watching.reaching import Reaching
from tests.stages.opened_store import opened_store


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def calls(sqlite_database: str, registry: CollectorRegistry) -> Any:
    limits = ClientLimits(streams=1)
    with opened_store(sqlite_database) as store:
        figures = CallFigures(registry)
        door = Door(OpenGate(), Admission(limits))
        yield Calls(figures, Reaching(store), door, face=REST, refuse=refuse)


async def two_words(_: Any, __: Any) -> AsyncIterator[str]:
    yield "one"
    yield "two"


@pytest.mark.parametrize("variables", [None, Variables()], ids=["a copy", "variables of its own"])
async def test_a_stream_that_another_task_ends_lets_go_of_what_it_holds(
    calls: Calls, caplog: pytest.LogCaptureFixture, variables: Variables | None
) -> None:
    opened = calls.streaming("Watch.Watch", two_words, nothing)
    for _ in range(2):
        context = RestContext({}, peer="ipv4:127.0.0.1:1")
        stream = opened(None, context)
        assert await anext(stream) == "one", context.refused
        ending = stream.aclose()  # type: ignore[attr-defined]
        await asyncio.create_task(ending, context=variables)
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_lines_have_the_ids_of_a_call_as_long_as_it_goes_on(calls: Calls) -> None:
    seen = []

    async def handle(_: Any, __: Any) -> None:
        seen.append(structlog.contextvars.get_contextvars()["request_id"])

    context = RestContext({"x-request-id": "shift-17"}, peer="ipv4:127.0.0.1:1")
    await calls.unary("Templates.GetTemplate", handle, nothing)(None, context)
    assert seen == ["shift-17"]
    assert "request_id" not in structlog.contextvars.get_contextvars()
    assert calling.get(None) is None


async def test_only_methods_that_have_been_called_have_histograms(
    calls: Calls, registry: CollectorRegistry
) -> None:
    async def handle(_: Any, __: Any) -> None:
        pass

    called = calls.unary("Templates.GetTemplate", handle, nothing)
    calls.unary("Templates.ListTemplates", handle, nothing)
    assert b"mds_call_seconds_count" not in generate_latest(registry)
    for _ in range(2):
        await called(None, RestContext({}, peer="ipv4:127.0.0.1:1"))
    labels = {"method": "Templates.GetTemplate", "face": REST}
    assert registry.get_sample_value("mds_call_seconds_count", labels) == 2
    labels["method"] = "Templates.ListTemplates"
    assert registry.get_sample_value("mds_call_seconds_count", labels) is None


async def test_the_first_fault_of_a_method_is_a_change_of_its_counter(
    calls: Calls, registry: CollectorRegistry
) -> None:
    """Prometheus's `rate` does not see that a series begins with 1."""

    async def fail(_: Any, __: Any) -> None:
        raise ZeroDivisionError

    async def fail_late(_: Any, __: Any) -> AsyncIterator[str]:
        yield "one"
        raise ZeroDivisionError

    def faults(method: str) -> float | None:
        labels = {"method": method, "code": "INTERNAL", "face": REST}
        return registry.get_sample_value("mds_calls_total", labels)

    called = calls.unary("Templates.GetTemplate", fail, nothing)
    opened = calls.streaming("Watch.Watch", fail_late, nothing)
    methods = ("Templates.GetTemplate", "Watch.Watch")
    assert [faults(each) for each in methods] == [0, 0]
    await called(None, RestContext({}, peer="ipv4:127.0.0.1:1"))
    async for _ in opened(None, RestContext({}, peer="ipv4:127.0.0.1:1")):
        pass
    assert [faults(each) for each in methods] == [1, 1]
