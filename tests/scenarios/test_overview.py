"""What watchers and viewers see of unit servers that come and go."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mds.v1 import (
    control_unit_pb2,
    kind_pb2,
    overview_pb2,
    registration_pb2,
    state_pb2,
    template_pb2,
    unit_server_pb2,
    watch_pb2,
)

from control_units.client import Client
from tests.stages.replica import Replica

UNITS = ["DAFNE/A", "DAFNE/B", "BTF/A"]
DEADLINE_S = 20


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address) as client:
        await declare(client)
        yield client


async def declare(client: Client) -> None:
    template = template_pb2.Template(name="templates/T", implementation="::lab::T")
    await client.templates.CreateTemplate(template_pb2.CreateTemplateRequest(template=template))
    server = unit_server_pb2.UnitServer(name="unit_servers/S")
    await client.unit_servers.CreateUnitServer(
        unit_server_pb2.CreateUnitServerRequest(unit_server=server)
    )
    for id in UNITS:
        unit = control_unit_pb2.ControlUnit(
            name=f"control_units/{id}",
            template="templates/T",
            unit_server="unit_servers/S",
            desired_state=state_pb2.STATE_RUNNING,
        )
        await client.control_units.CreateControlUnit(
            control_unit_pb2.CreateControlUnitRequest(control_unit=unit)
        )


async def register(client: Client) -> None:
    await client.registration.Register(
        registration_pb2.RegisterRequest(
            unit_server="unit_servers/S",
            incarnation="first",
            classes=[registration_pb2.HostedClass(implementation="::lab::T")],
            host="rack1",
            pid=42,
        )
    )


async def look(client: Client) -> overview_pb2.GetOverviewResponse:
    return await client.overview.GetOverview(overview_pb2.GetOverviewRequest())


async def test_a_registration_is_told_as_one_revision(client: Client) -> None:
    kinds = [kind_pb2.KIND_CONTROL_UNIT_STATUS, kind_pb2.KIND_UNIT_SERVER_STATUS]
    stream: Any = client.watch.Watch(watch_pb2.WatchRequest(kinds=kinds))
    async with asyncio.timeout(DEADLINE_S):
        await anext(aiter(stream))
        await register(client)
        async for response in stream:
            # A replica that has not heard of it yet tells first that units were declared.
            if any(event.name == "unit_server_statuses/S" for event in response.events):
                break
    stream.cancel()
    assert len({event.revision for event in response.events}) == 1
    told = {event.name: event for event in response.events}
    assert set(told) == {
        "unit_server_statuses/S",
        *(f"control_unit_statuses/{id}" for id in UNITS),
    }
    session = told["unit_server_statuses/S"].unit_server_status
    assert (session.contact, session.host, session.pid) == (state_pb2.CONTACT_ALIVE, "rack1", 42)
    status = told["control_unit_statuses/BTF/A"].control_unit_status
    assert status.session == session.session
    assert status.contact == state_pb2.CONTACT_ALIVE
    assert status.state == state_pb2.STATE_UNLOADED
    assert status.health == state_pb2.HEALTH_CHANGING


async def test_the_overview_follows_a_unit_server(client: Client) -> None:
    before = await look(client)
    assert (before.control_units, before.unit_servers) == (3, 1)
    assert [(zone.zone, zone.why) for zone in before.zones] == [
        ("BTF", "1 of 1 without a process"),
        ("DAFNE", "2 of 2 without a process"),
    ]
    assert before.abnormal_total == 3
    assert [unit.control_unit for unit in before.abnormal_units] == [
        f"control_units/{id}" for id in sorted(UNITS)
    ]
    await register(client)
    after = await look(client)
    assert after.position.revision > before.position.revision
    assert after.abnormal_total == 0
    (summary,) = after.unit_server_summaries
    assert (summary.status.contact, summary.control_units) == (state_pb2.CONTACT_ALIVE, 3)
    assert summary.health == state_pb2.HEALTH_CHANGING
    assert [(count.contact, count.control_units) for count in after.contact_counts] == [
        (state_pb2.CONTACT_ALIVE, 3)
    ]
    assert {zone.why for zone in after.zones} == {
        "1 of 1 not yet RUNNING",
        "2 of 2 not yet RUNNING",
    }


async def test_the_pulse_tells_the_age_of_the_last_word(client: Client) -> None:
    await register(client)
    stream: Any = client.overview.Pulse(overview_pb2.PulseRequest())
    ages = []
    async with asyncio.timeout(DEADLINE_S):
        async for pulse in stream:
            (beat,) = pulse.beats
            assert beat.unit_server == "unit_servers/S"
            ages.append(beat.age.ToTimedelta().total_seconds())
            if len(ages) == 3:
                break
    stream.cancel()
    assert 0 <= ages[0] < ages[1] < ages[2] < DEADLINE_S
