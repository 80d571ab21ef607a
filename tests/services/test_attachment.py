"""What attached unit servers say is written, acknowledged, or refused with its reason."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from metadata_server.domain.change import Position
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.report import Passed
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.refused import Refused
from metadata_server.services.life import reports
from metadata_server.services.life.heartbeats import Word
from metadata_server.services.life.outbox import Outbox, Renewed
from metadata_server.services.life.reports import steady_now_us
from metadata_server.store.store import Store
from tests.services.lively import (
    CALLER,
    TIMING,
    Facility,
    attached,
    facility,
    report,
)
from tests.stages.waiting import until


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1", "A/PS2")
        yield found


async def test_reports_are_written_and_acknowledged(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report(
            [report("A/PS1", 1, State.RUNNING, message="well"), report("A/PS2", 2, State.LOADED)]
        )
        await until(lambda: ear.acknowledged == 2, what="the acknowledgement")
    statuses = await lab.statuses()
    assert (statuses["A/PS1"].state, statuses["A/PS1"].message) == (State.RUNNING, "well")
    assert statuses["A/PS2"].state is State.LOADED


async def test_reports_of_one_moment_share_a_revision_and_keep_the_way(lab: Facility) -> None:
    registered = await lab.register()
    before = (await lab.position()).revision
    async with attached(lab, registered) as (unit_server, ear):
        for sequence, state in enumerate((State.LOADED, State.INITIALIZED, State.RUNNING), 1):
            await unit_server.report([report("A/PS1", sequence, state)])
        await until(lambda: ear.acknowledged == 3, what="the acknowledgement")
    assert (await lab.position()).revision == before + 1
    assert (await lab.statuses())["A/PS1"].state is State.RUNNING


async def test_a_stream_waits_while_too_many_reports_do(
    lab: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        monkeypatch.setattr(reports, "MAXIMUM_PENDING", 1)
        await unit_server.report([report("A/PS1", 1, State.LOADED)])
        waiting = asyncio.create_task(unit_server.report([report("A/PS2", 2, State.LOADED)]))
        await asyncio.sleep(0)
        assert not waiting.done()
        await until(lambda: ear.acknowledged == 2, what="both acknowledgements")
        await waiting


async def test_an_older_report_changes_nothing(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([report("A/PS1", 5, State.RUNNING)])
        await until(lambda: ear.acknowledged == 5, what="the acknowledgement")
        await unit_server.report(
            [report("A/PS1", 4, State.LOADED), report("A/PS2", 6, State.LOADED)]
        )
        await until(lambda: ear.acknowledged == 6, what="the acknowledgement")
    assert (await lab.statuses())["A/PS1"].state is State.RUNNING
    assert await lab.images("A/PS1") == 2, "UNLOADED, then RUNNING"


async def test_a_zombies_report_changes_nothing_and_ends_its_stream(lab: Facility) -> None:
    zombie = await lab.register()
    async with attached(lab, zombie) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.register(incarnation="second", take_over=True)
        await unit_server.report([report("A/PS1", 9, State.RUNNING)])
        await until(lambda: ear.is_over, what="the end of the stream")
    assert ear.ended is not None
    assert ear.ended.reason == "SESSION_ENDED"
    assert (await lab.statuses())["A/PS1"].state is State.UNLOADED
    assert await lab.images("A/PS1") == 2, "UNLOADED in each of two sessions"


async def test_a_heartbeat_of_an_ended_session_ends_the_stream(lab: Facility) -> None:
    zombie = await lab.register()
    async with attached(lab, zombie) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.register(incarnation="second", take_over=True)
        unit_server.heartbeat(0.0, "")
        await until(lambda: ear.is_over, what="the end of the stream")
    assert ear.ended is not None
    assert ear.ended.reason == "SESSION_ENDED"


async def test_heartbeats_renew_the_lease_and_write_no_revision(lab: Facility) -> None:
    registered = await lab.register()
    before = await lab.position()
    async with attached(lab, registered) as (unit_server, ear):
        await lab.pass_time(10)
        _, old = await lab.held()
        unit_server.heartbeat(0.0, "")
        await until(lambda: any(word.lease_us for word in ear.words), what="the renewal")
    _, new = await lab.held()
    assert new.end_us > old.end_us
    assert await lab.position() == before


async def test_a_renewal_that_is_told_late_promises_no_more_than_what_is_left(
    lab: Facility,
) -> None:
    """As where the database is slow, or the replica stood still before it could say so."""
    registered = await lab.register()
    asked: list[float] = []
    before = time.monotonic()
    lab.liveness.keeper.beat(registered.session.id, 0.0, lambda _, when: asked.append(when))
    await until(lambda: asked, what="the renewal")
    assert before <= asked[0] <= time.monotonic()
    outbox = Outbox()
    outbox.renewed(Renewed(time.monotonic() - 5, lease_us=10_000_000))
    assert 0 < (outbox.take(Position("", 0, 0)).lease_us or 0) <= 5_000_000
    assert outbox.take(Position("", 0, 0)).lease_us is None, "it is told once"
    outbox.renewed(Renewed(time.monotonic() - 11, lease_us=10_000_000))
    assert outbox.take(Position("", 0, 0)).lease_us is None, "it may have run out"


async def test_a_renewal_names_the_sign_of_life_from_which_the_whole_lease_counts(
    lab: Facility,
) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        unit_server.heartbeat(0.0, "", sent_us=1207)
        await until(lambda: any(word.lease_from_us for word in ear.words), what="the renewal")
    answer = next(word for word in ear.words if word.lease_from_us)
    assert (answer.lease_from_us, answer.lease_us) == (1207, TIMING.lease_us)


async def test_a_beat_older_than_a_period_is_no_sign_of_life(lab: Facility) -> None:
    await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
    late, punctual = await lab.register(), await lab.register(unit_server="OTHER")
    _, before = await lab.held()
    late_words: list[Word] = []
    words: list[Word] = []
    lab.liveness.keeper.beat(late.session.id, 6.0, lambda word, _: late_words.append(word))
    lab.liveness.keeper.beat(punctual.session.id, 0.0, lambda word, _: words.append(word))
    await until(lambda: words, what="the renewal of the other")
    assert words == [Word.RENEWED]
    assert not late_words
    assert (await lab.held())[1] == before


async def test_a_unit_of_another_server_is_refused_without_harm_to_the_others(
    lab: Facility,
) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report(
            [report("B/STRANGER", 1, State.RUNNING), report("A/PS1", 2, State.RUNNING)]
        )
        await until(lambda: ear.acknowledged == 2 and ear.refused, what="the answer")
    assert ear.refused == {"B/STRANGER": "NOT_HOSTED_HERE"}
    assert (await lab.statuses())["A/PS1"].state is State.RUNNING


async def test_a_report_that_cannot_be_kept_is_refused_by_field(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([report("A/PS1", 1, State.UNSPECIFIED, fingerprint="nonsense")])
        await until(lambda: ear.refused, what="the answer")
    (refusal,) = [each for word in ear.words for each in word.not_taken]
    assert [each.field for each in refusal.refused.fields] == ["state", "fingerprint"]


async def test_ages_are_taken_from_the_databases_clock(lab: Facility) -> None:
    """The unit server's own clock does not occur: it says how long ago, and no more."""
    registered = await lab.register()
    now_us = steady_now_us()
    passed = (
        Passed(State.LOADED, now_us - 9_000_000),
        Passed(State.INITIALIZED, now_us - 4_000_000),
    )
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report(
            [report("A/PS1", 1, State.RUNNING, since_us=now_us - 3_000_000, passed=passed)]
        )
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
    now = (await lab.store.read(lambda unit: unit.now_us)).value
    since = (await lab.statuses())["A/PS1"].state_time_us
    assert 3_000_000 <= now - since < 13_000_000


async def test_a_long_message_is_cut(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([report("A/PS1", 1, State.FATAL_ERROR, message="x" * 5_000)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
    assert len((await lab.statuses())["A/PS1"].message) == 1_000


async def test_the_newest_stream_of_a_session_wins(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, older), attached(lab, registered) as (_, newer):
        await until(lambda: older.is_over and newer.words, what="the older stream's end")
    assert older.ended is not None
    assert older.ended.reason == "ATTACHED_ELSEWHERE"


async def test_a_goodbye_ends_session_and_lives_at_once(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.say_goodbye()
        await until(lambda: ear.is_over, what="the end of the stream")
    assert ear.ended is None
    session, _ = await lab.held()
    assert (session.contact, session.end_reason) == (Contact.NONE, EndReason.GOOD_BYE)
    assert (await lab.register(incarnation="second")).session.id != registered.session.id


async def test_an_ended_session_cannot_attach(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, _):
        await unit_server.say_goodbye()
    with pytest.raises(Refused, match="SESSION_ENDED"):
        async with attached(lab, registered):
            pass


async def test_who_has_seen_another_history_must_register_and_tell_everything_anew(
    lab: Facility,
) -> None:
    registered = await lab.register()
    restored = replace(registered.position, epoch=registered.position.epoch + 1)
    with pytest.raises(Refused, match="HISTORY_RESET"):
        async with attached(lab, registered, restored):
            pass
    assert (await lab.register()).session.id != registered.session.id


async def test_a_draining_replica_sends_everybody_elsewhere(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
        lab.liveness.drain()
        await until(lambda: ear.is_over, what="the end of the stream")
    assert ear.ended is not None
    assert ear.ended.reason == "DRAINING"
    with pytest.raises(Refused, match="DRAINING"):
        async with attached(lab, registered):
            pass


async def test_a_replica_that_stops_in_order_warns_of_nothing(lab: Facility) -> None:
    registered = await lab.register()
    with capture_logs() as logs:
        async with attached(lab, registered) as (_, ear):
            await until(lambda: ear.words, what="the first word")
            lab.liveness.drain()
            lab.tailer.drain()
            await until(lambda: lab.tailer.followers == 0, what="the end of following")
    assert [each for each in logs if each["log_level"] == "warning"] == []


async def test_a_stream_grows_no_older_than_it_may(store: Store) -> None:
    async with facility(store, stream_age_s=0.2) as lab:
        registered = await lab.register()
        async with attached(lab, registered) as (_, ear):
            await until(lambda: ear.is_over, what="the end of the stream")
    assert ear.ended is not None
    assert ear.ended.reason == "DRAINING"
