"""What attached unit servers say is written; what concerns them, they are told."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from metadata_server.domain.attribute import Attribute, AttributeOverride, Direction
from metadata_server.domain.control_unit import ControlUnit
from metadata_server.domain.fingerprint import dataset_hash, digest
from metadata_server.domain.refused import Refused
from metadata_server.domain.registration import Assignment
from metadata_server.domain.report import Passed
from metadata_server.domain.session import EndReason
from metadata_server.domain.state import Contact, State
from metadata_server.domain.template import Template
from metadata_server.domain.unit_server import UnitServer
from metadata_server.services.heartbeats import Word
from metadata_server.services.publication import Published
from metadata_server.services.reports import steady_now_us
from metadata_server.store.store import Store
from tests.services.lively import (
    CALLER,
    CURRENT,
    DATASET,
    DATASET_HASH,
    Facility,
    attached,
    facility,
    report,
)
from tests.stages.waiting import until

PUBLISHED = Published(DATASET_HASH, DATASET, "lab::Supply")


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1", "A/PS2")
        yield found


async def change(lab: Facility, unit_id: str, **fields: object) -> None:
    await lab.resources.update(
        CALLER,
        ControlUnit,
        unit_id,
        etag="*",
        change=lambda unit: replace(unit, **fields),  # type: ignore[arg-type]
        validate_only=False,
    )


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


async def test_a_beat_older_than_a_period_is_no_sign_of_life(lab: Facility) -> None:
    await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
    late, punctual = await lab.register(), await lab.register(unit_server="OTHER")
    _, before = await lab.held()
    late_words: list[Word] = []
    words: list[Word] = []
    lab.liveness.keeper.beat(late.session.id, 6.0, late_words.append)
    lab.liveness.keeper.beat(punctual.session.id, 0.0, words.append)
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


async def test_a_changed_unit_is_told_with_its_new_configuration(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
        override = AttributeOverride("current", {"maximum": "5"})
        await change(lab, "A/PS1", overrides=(override,), desired_state=State.STOPPED)
        await until(lambda: ear.assigned, what="the assignment")
    told = ear.assigned["A/PS1"]
    assert isinstance(told, Assignment)
    assert told.unit.desired_state is State.STOPPED
    assert told.configuration is not None
    assert told.configuration.attributes[0].facets["maximum"] == "5"
    assert set(ear.assigned) == {"A/PS1"}


async def test_what_changed_before_the_stream_came_is_told_on_it(lab: Facility) -> None:
    registered = await lab.register()
    await change(lab, "A/PS1", desired_state=State.STOPPED)
    async with attached(lab, registered) as (_, ear):
        await until(lambda: "A/PS1" in ear.assigned, what="the assignment")


async def test_after_a_break_what_changed_since_is_told(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
    seen = ear.words[-1].position
    await change(lab, "A/PS1", desired_state=State.STOPPED)
    async with attached(lab, registered, seen) as (_, later):
        await until(lambda: later.assigned, what="the assignment")
    assert set(later.assigned) == {"A/PS1"}


async def test_a_unit_that_comes_is_taken_in_and_told(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.declare("A/NEW")
        await until(lambda: "A/NEW" in ear.assigned, what="the assignment")
        await unit_server.report([report("A/NEW", 1, State.RUNNING)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
    status = (await lab.statuses())["A/NEW"]
    assert (status.state, status.session) == (State.RUNNING, registered.session.id)


async def test_a_unit_that_moves_away_is_removed_here_and_its_reports_are_refused(
    lab: Facility,
) -> None:
    await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await change(lab, "A/PS2", unit_server="OTHER")
        await until(lambda: "A/PS2" in ear.removed, what="the word that it left")
        await unit_server.report([report("A/PS2", 7, State.RUNNING)])
        await until(lambda: ear.refused, what="the refusal")
    assert ear.refused == {"A/PS2": "NOT_HOSTED_HERE"}
    assert (await lab.statuses())["A/PS2"].session == ""


async def test_a_unit_that_moves_away_and_back_lives_on_in_the_same_session(
    lab: Facility,
) -> None:
    await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        await change(lab, "A/PS2", unit_server="OTHER")
        await until(lambda: "A/PS2" in ear.removed, what="the word that it left")
        await change(lab, "A/PS2", unit_server="US")
        await until(lambda: "A/PS2" in ear.assigned, what="the assignment")
        await unit_server.report([report("A/PS2", 8, State.RUNNING)])
        await until(lambda: ear.acknowledged == 8, what="the acknowledgement")
    assert (await lab.statuses())["A/PS2"].state is State.RUNNING


async def test_a_published_dataset_becomes_that_of_the_units_that_report_it(
    lab: Facility,
) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.publish([PUBLISHED])
        await unit_server.report([report("A/PS1", 1, State.LOADED, dataset=DATASET_HASH)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
    assert (await lab.statuses())["A/PS1"].dataset == DATASET_HASH
    assert (await lab.liveness.publication.get(DATASET_HASH)).value.attributes == DATASET


async def test_a_dataset_reported_before_it_is_known_is_asked_for_and_then_taken(
    lab: Facility,
) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([report("A/PS1", 1, State.LOADED, dataset=DATASET_HASH)])
        await until(
            lambda: any(DATASET_HASH in word.missing_datasets for word in ear.words),
            what="the question for the dataset",
        )
        assert (await lab.statuses())["A/PS1"].dataset == ""
        await unit_server.publish([PUBLISHED])
    assert (await lab.statuses())["A/PS1"].dataset == DATASET_HASH


async def test_a_dataset_that_is_not_what_its_hash_says_is_refused(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.publish([replace(PUBLISHED, hash="0" * 64)])
        await until(lambda: ear.refused, what="the refusal")
    assert ear.refused == {"0" * 64: "INVALID_FIELD"}
    with pytest.raises(Refused, match="DATASET_NOT_FOUND"):
        await lab.liveness.publication.get("0" * 64)


async def test_a_dataset_that_contradicts_the_template_does_not_become_the_units(
    lab: Facility,
) -> None:
    turned = (replace(CURRENT, direction=Direction.OUTPUT),)
    contradicting = Published(dataset_hash(turned), turned, "lab::Supply")
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.publish([contradicting])
        await unit_server.report([report("A/PS1", 1, State.LOADED, dataset=contradicting.hash)])
        await until(lambda: "A/PS1" in ear.refused, what="the refusal")
    assert ear.refused["A/PS1"] == "DATASET_CONTRADICTS_TEMPLATE"
    assert ear.refused[contradicting.hash] == "DATASET_CONTRADICTS_TEMPLATE"
    status = (await lab.statuses())["A/PS1"]
    assert (status.dataset, status.state) == ("", State.LOADED)


async def test_units_that_apply_what_their_dataset_implies_are_not_told_again(
    lab: Facility,
) -> None:
    """The dataset came after the registration: what they were told lacked its outputs."""
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.publish([PUBLISHED])
        again = await lab.register()
        full = again.assignments[0].fingerprint
        assert full != registered.assignments[0].fingerprint
        await unit_server.report(
            [report("A/PS1", 1, State.LOADED, dataset=DATASET_HASH, fingerprint=full)]
        )
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
        await change(lab, "A/PS2", desired_state=State.STOPPED)
        await until(lambda: "A/PS2" in ear.assigned, what="something later")
    assert "A/PS1" not in ear.assigned


async def test_a_unit_that_settled_on_another_configuration_is_told_the_right_one(
    lab: Facility,
) -> None:
    registered = await lab.register()
    wrong = f"v1:{'0' * 64}"
    async with attached(lab, registered) as (unit_server, ear):
        settled = report("A/PS1", 1, State.RUNNING, fingerprint=wrong, reached_generation=1)
        await unit_server.report([settled])
        await until(lambda: "A/PS1" in ear.assigned, what="the assignment")


async def test_a_digest_that_differs_for_long_has_everything_told_again(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await until(lambda: ear.words, what="the first word")
        unit_server.heartbeat(0.0, digest({}))
        unit_server.heartbeat(0.0, digest({"A/PS1": "v1:x"}))
        assert not ear.assigned
        unit_server.heartbeat(0.0, digest({"A/PS1": "v1:x"}))
        await until(lambda: len(ear.assigned) == 2, what="all assignments")


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


async def test_a_stream_grows_no_older_than_it_may(store: Store) -> None:
    async with facility(store, stream_age_s=0.2) as lab:
        registered = await lab.register()
        async with attached(lab, registered) as (_, ear):
            await until(lambda: ear.is_over, what="the end of the stream")
    assert ear.ended is not None
    assert ear.ended.reason == "DRAINING"


async def test_a_changed_template_version_reaches_a_unit_that_is_moved_to_it(
    lab: Facility,
) -> None:
    registered = await lab.register()
    more = (CURRENT, Attribute("ramp", Direction.INPUT))
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.resources.update(
            CALLER,
            Template,
            "Supply",
            etag="*",
            change=lambda template: replace(template, attributes=more),
            validate_only=False,
        )
        await change(lab, "A/PS1", template_version=2)
        await until(lambda: "A/PS1" in ear.assigned, what="the assignment")
    told = ear.assigned["A/PS1"]
    assert isinstance(told, Assignment)
    assert told.configuration is not None
    assert [each.name for each in told.configuration.attributes] == ["current", "ramp"]
