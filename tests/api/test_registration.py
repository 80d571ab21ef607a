"""Registrations and streams over the wire, with what unit servers get wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from mds.v1 import (
    bundle_pb2,
    control_unit_pb2,
    dataset_pb2,
    sighting_pb2,
    template_pb2,
    unit_server_pb2,
)
from mds.v1 import registration_pb2 as wire
from mds.v1.state_pb2 import STATE_RUNNING

from control_units.client import Client, Refused
from tests.stages.replica import Replica
from tests.stages.waiting import until

CLASS = "lab::Supply"
UNITS = ("control_units/LAB/PS1", "control_units/LAB/PS2")
DATASET_HASH = "1" * 64


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address) as client:
        await declare(client)
        yield client


async def declare(client: Client) -> None:
    async def requests() -> AsyncIterator[bundle_pb2.ApplyRequest]:
        template = template_pb2.Template(name="templates/Supply", implementation=CLASS)
        server = unit_server_pb2.UnitServer(name="unit_servers/LAB")
        units = [
            control_unit_pb2.ControlUnit(name=name, template=template.name, unit_server=server.name)
            for name in UNITS
        ]
        yield bundle_pb2.ApplyRequest(header=bundle_pb2.BundleHeader(reason="a test"))
        yield bundle_pb2.ApplyRequest(
            items=[
                bundle_pb2.BundleItem(template=template),
                bundle_pb2.BundleItem(unit_server=server),
                *(bundle_pb2.BundleItem(control_unit=unit) for unit in units),
            ],
            end=True,
        )

    replies = [reply async for reply in client.bundles.Apply(requests())]
    assert replies[-1].summary.applied


def coming(**changes: Any) -> wire.RegisterRequest:
    said: dict[str, Any] = {
        "unit_server": "unit_servers/LAB",
        "incarnation": "first",
        "classes": [wire.HostedClass(implementation=CLASS)],
        "host": "rack1",
        "address": "10.0.0.1",
        "pid": 42,
    }
    return wire.RegisterRequest(**(said | changes))


class Line:
    """A stream of a unit server, spoken by hand."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.words: list[wire.AttachResponse] = []
        self.ended: Refused | None = None
        self.is_over = False

    async def say(self, **word: Any) -> None:
        await self._stream.write(wire.AttachRequest(**word))

    async def listen(self) -> None:
        try:
            async for word in self._stream:
                self.words.append(word)
        except Refused as refused:
            self.ended = refused
        finally:
            self.is_over = True

    async def end(self) -> Refused:
        """Why the server has ended it."""
        await until(lambda: self.is_over, what="the end of the stream")
        assert self.ended is not None, "it ended without a reason"
        return self.ended


@asynccontextmanager
async def line(client: Client, session: str = "") -> AsyncIterator[Line]:
    stream = client.registration.Attach()
    opened = Line(stream)
    task = asyncio.create_task(opened.listen())
    try:
        if session:
            await opened.say(hello=wire.Hello(session=session))
            await until(lambda: opened.words or opened.is_over, what="the first word")
        yield opened
    finally:
        stream.cancel()
        task.cancel()
        await asyncio.wait({task})


def reports(*units: str, sequence: int = 1, **fields: Any) -> wire.Reports:
    return wire.Reports(
        reports=[
            wire.UnitReport(
                control_unit=name, sequence=sequence + number, state=STATE_RUNNING, **fields
            )
            for number, name in enumerate(units)
        ]
    )


async def status(client: Client, unit: str) -> control_unit_pb2.ControlUnitStatus:
    name = unit.replace("control_units/", "control_unit_statuses/")
    return await client.control_units.GetControlUnitStatus(
        control_unit_pb2.GetControlUnitStatusRequest(name=name)
    )


async def test_a_registration_is_answered_with_lease_period_and_assignments(
    client: Client,
) -> None:
    reply = await client.registration.Register(coming())
    assert [each.control_unit for each in reply.assignments] == list(UNITS)
    assert reply.lease.ToSeconds() == 20
    assert reply.heartbeat_period.ToSeconds() == 5
    assert reply.session
    assert reply.position.revision > 0
    assert client.position.endswith(f"/{reply.position.revision + 1}"), "it was one change"


async def test_a_rival_is_told_who_holds_it(client: Client) -> None:
    await client.registration.Register(coming())
    with pytest.raises(Refused, match="ALREADY_RUNNING") as refused:
        await client.registration.Register(coming(incarnation="second"))
    told = refused.value.metadata
    assert (told["host"], told["address"], told["pid"]) == ("rack1", "10.0.0.1", "42")
    assert told["since"] < told["lease_end"]


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"unit_server": "unit_servers/NOBODY"}, "UNDECLARED", "NOBODY"),
        ({"unit_server": "unit_servers/with space"}, "INVALID_ID", "unit_server"),
        ({"unit_server": f"unit_servers/{'x' * 5000}"}, "INVALID_ID", "255 bytes"),
        ({"unit_server": "LAB"}, "INVALID_ID", "unit_servers/"),
        ({"incarnation": ""}, "INVALID_FIELD", "incarnation"),
        ({"incarnation": "x" * 65}, "INVALID_FIELD", "incarnation"),
    ],
)
async def test_a_registration_that_cannot_be_says_why(
    lasting_replica: Replica, changes: dict[str, Any], reason: str, field: str
) -> None:
    async with Client(lasting_replica.address) as client:
        await declare(client)
        with pytest.raises(Refused, match=reason) as refused:
            await client.registration.Register(coming(**changes))
    assert field in refused.value.message
    assert len(refused.value.message) < 1000


async def test_an_undeclared_unit_server_is_seen(client: Client) -> None:
    with pytest.raises(Refused, match="UNDECLARED"):
        await client.registration.Register(coming(unit_server="unit_servers/NOBODY"))
    reply = await client.sightings.ListSightings(sighting_pb2.ListSightingsRequest())
    (seen,) = reply.sightings
    assert (seen.unit_server, seen.host, seen.count) == ("unit_servers/NOBODY", "rack1", 1)
    assert list(seen.classes) == [CLASS]


async def test_a_message_of_20_mb_is_refused_and_the_server_lives_on(
    client: Client, replica: Replica
) -> None:
    huge = coming(reason="x" * 20_000_000)
    async with grpc.aio.insecure_channel(replica.address) as channel:
        call: Any = channel.unary_unary("/mds.v1.Registration/Register")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(huge.SerializeToString(), timeout=20)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await client.registration.Register(coming())).session


async def test_reports_are_acknowledged_and_seen(client: Client) -> None:
    session = (await client.registration.Register(coming())).session
    async with line(client, session) as spoken:
        await spoken.say(reports=reports(*UNITS))
        await until(
            lambda: any(word.acknowledged_sequence == 2 for word in spoken.words),
            what="the acknowledgement",
        )
    assert (await status(client, UNITS[0])).state == STATE_RUNNING


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_an_hour_off_does_no_harm(client: Client, hours: int) -> None:
    """A unit server that reckons ages by a wall clock which was set meanwhile."""
    session = (await client.registration.Register(coming())).session
    age = Duration(seconds=3600 * hours)
    async with line(client, session) as spoken:
        await spoken.say(heartbeat=wire.Heartbeat(age=age))
        await spoken.say(reports=reports(UNITS[0], age=age))
        await until(
            lambda: any(word.acknowledged_sequence for word in spoken.words),
            what="the acknowledgement",
        )
        assert not spoken.is_over
    found = await status(client, UNITS[0])
    answered = await client.unit_servers.GetUnitServerStatus(
        unit_server_pb2.GetUnitServerStatusRequest(name="unit_server_statuses/LAB")
    )
    ahead_s = found.state_time.ToSeconds() - answered.start_time.ToSeconds()
    assert ahead_s <= 60, "nothing has happened in the future"


async def test_a_stream_begins_with_hello(client: Client) -> None:
    async with line(client) as spoken:
        await spoken.say(heartbeat=wire.Heartbeat())
        refused = await spoken.end()
    assert refused.reason == "INVALID_FIELD"
    assert "hello" in refused.message


async def test_a_second_hello_is_refused(client: Client) -> None:
    session = (await client.registration.Register(coming())).session
    async with line(client, session) as spoken:
        await spoken.say(hello=wire.Hello(session=session))
        assert (await spoken.end()).reason == "INVALID_FIELD"


async def test_too_many_reports_in_a_message_are_refused(client: Client) -> None:
    session = (await client.registration.Register(coming())).session
    async with line(client, session) as spoken:
        await spoken.say(reports=reports(*([UNITS[0]] * 1001)))
        assert "1000" in (await spoken.end()).message


@pytest.mark.parametrize("session", ["nobody's", "nié ☃ mand", "x" * 5000])
async def test_a_session_that_never_was_cannot_attach(client: Client, session: str) -> None:
    async with line(client, session) as spoken:
        assert (await spoken.end()).reason == "SESSION_ENDED"


async def test_texts_of_all_alphabets_are_kept(client: Client) -> None:
    texts = {"host": "Röntgen-Prüfstand ☃", "address": "地址", "version": "β\03"}
    await client.registration.Register(coming(incarnation="первый", **texts))
    found = await client.unit_servers.GetUnitServerStatus(
        unit_server_pb2.GetUnitServerStatusRequest(name="unit_server_statuses/LAB")
    )
    assert {name: getattr(found, name) for name in texts} == texts
    assert found.incarnation == "первый"


async def test_a_heartbeat_of_an_ended_session_says_so(client: Client) -> None:
    session = (await client.registration.Register(coming())).session
    async with line(client, session) as spoken:
        await client.registration.Register(
            coming(incarnation="second", take_over=True, reason="it hangs")
        )
        await spoken.say(heartbeat=wire.Heartbeat())
        assert (await spoken.end()).reason == "SESSION_ENDED"


async def test_a_zombies_report_changes_nothing(client: Client) -> None:
    zombie = (await client.registration.Register(coming())).session
    async with line(client, zombie) as spoken:
        second = await client.registration.Register(coming(incarnation="second", take_over=True))
        await spoken.say(reports=reports(*UNITS, message="from the dead"))
        assert (await spoken.end()).reason == "SESSION_ENDED"
    found = await status(client, UNITS[0])
    assert (found.session, found.message) == (second.session, "")


async def test_the_newest_stream_of_a_session_wins(client: Client) -> None:
    session = (await client.registration.Register(coming())).session
    async with line(client, session) as older, line(client, session) as newer:
        assert (await older.end()).reason == "ATTACHED_ELSEWHERE"
        assert not newer.is_over


async def test_a_dataset_whose_hash_is_another_is_refused(client: Client) -> None:
    session = (await client.registration.Register(coming())).session
    published = wire.PublishedDataset(
        hash=DATASET_HASH, attributes=[dataset_pb2.Attribute(name="current")], implementation=CLASS
    )
    async with line(client, session) as spoken:
        await spoken.say(datasets=wire.PublishedDatasets(datasets=[published]))
        await until(
            lambda: any(word.refusals for word in spoken.words) or spoken.is_over,
            what="the refusal",
        )
        (refusal,) = [each for word in spoken.words for each in word.refusals]
    assert refusal.dataset_hash == DATASET_HASH
    assert "SHA-256" in refusal.status.message
    for digest in (DATASET_HASH, "ü", "x" * 5000):
        with pytest.raises(Refused, match="DATASET_NOT_FOUND"):
            await client.datasets.GetDataset(
                dataset_pb2.GetDatasetRequest(name=f"datasets/{digest}")
            )


async def test_a_goodbye_ends_the_stream_in_peace(client: Client) -> None:
    session = (await client.registration.Register(coming())).session
    async with line(client, session) as spoken:
        await spoken.say(goodbye=wire.Goodbye(message="done"))
        await until(lambda: spoken.is_over, what="the end of the stream")
        assert spoken.ended is None
    assert (await client.registration.Register(coming(incarnation="second"))).session != session
