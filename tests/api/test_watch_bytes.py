"""Notices on the wire: joined bytes are the message, and whole revisions travel together."""

from itertools import pairwise

import pytest
from mds.v1 import kind_pb2, watch_pb2

from metadata_server.api import watch
from metadata_server.api.entries import entry_of
from metadata_server.api.watch import EVENTS_TAG, responses_of
from metadata_server.domain.change import Action, Change, Position, Subject
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.facility import Agent, ExecutionUnit, Script, Snapshot, Variable
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.names import Kind
from metadata_server.domain.watch import Event, EventAction, Notice

SUBJECTS: list[Subject] = [
    Template(id="T"),
    UnitServer(id="S"),
    ControlUnit(id="A/B", template="T"),
    Agent(id="A"),
    ExecutionUnit(id="E"),
    Variable(id="V"),
    Script(id="P"),
    Snapshot(id="N"),
    ControlUnitStatus(id="A/B", key=1, state=State.RUNNING),
    Session(id="s", unit_server="S", unit_server_key=2, contact=Contact.ALIVE),
]


def event(
    revision: int,
    subject: Subject | None,
    *,
    ordinal: int = 0,
    action: EventAction = EventAction.UPDATED,
) -> Event:
    kind = Kind.VARIABLE if subject is None else subject.kind
    id = "V" if subject is None else getattr(subject, "unit_server", None) or subject.id
    id = subject.id if isinstance(subject, ControlUnit | ControlUnitStatus) else id
    change = Change(
        revision=revision,
        ordinal=ordinal,
        time_us=1_700_000_000_000_000 + revision,
        kind=kind,
        key=1,
        id=id,
        id_before=id,
        action=Action.UPDATED if subject else Action.DELETED,
        subject=subject,
        author="somebody",
        reason="why not",
        contact=Contact.ALIVE,
        health=Health.GOOD,
    )
    return Event(change, action, id)


def sent(revision: int, events: list[Event], *, full: bool = True) -> list[watch_pb2.WatchResponse]:
    notice = Notice(Position("store", 1, revision), tuple(events))
    return [watch_pb2.WatchResponse.FromString(data) for data in responses_of(notice, full=full)]


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.kind)
def test_an_event_carries_its_resource(subject: Subject) -> None:
    (response,) = sent(7, [event(7, subject)])
    (told,) = response.events
    assert (response.position.store_id, response.position.revision) == ("store", 7)
    assert told.WhichOneof("resource") == subject.kind.value
    assert getattr(told, subject.kind.value).name == told.name
    assert told.name.startswith(f"{subject.kind.collection}/")
    assert kind_pb2.Kind.Name(told.kind) == f"KIND_{subject.kind.name}"
    assert (told.author, told.reason, told.revision) == ("somebody", "why not", 7)
    assert told.time.ToMicroseconds() == 1_700_000_000_000_007


def test_the_basic_view_has_names_and_actions_only() -> None:
    (response,) = sent(7, [event(7, subject) for subject in SUBJECTS], full=False)
    assert len(response.events) == len(SUBJECTS)
    assert {told.WhichOneof("resource") for told in response.events} == {None}
    assert all(told.name and told.kind for told in response.events)


@pytest.mark.parametrize("action", [EventAction.LEFT, EventAction.DELETED])
def test_what_is_gone_carries_no_resource(action: EventAction) -> None:
    subject = None if action is EventAction.DELETED else Variable(id="V")
    (response,) = sent(7, [event(7, subject, action=action)])
    (told,) = response.events
    assert told.WhichOneof("resource") is None
    assert watch_pb2.EventAction.Name(told.action) == f"EVENT_ACTION_{action.name}"


def test_a_bookmark_is_a_position_alone() -> None:
    (response,) = sent(9, [])
    assert response.position.revision == 9
    assert not response.events


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 16_383, 16_384, 3_000_000])
def test_events_of_any_size_are_joined(size: int) -> None:
    told = watch_pb2.Event(reason="x" * size)
    data = entry_of(EVENTS_TAG, told.SerializeToString())
    assert list(watch_pb2.WatchResponse.FromString(data * 2).events) == [told, told]


def large(revision: int, ordinal: int = 0) -> Event:
    return event(revision, Variable(id="V", value="x" * 400), ordinal=ordinal)


def test_messages_are_cut_between_revisions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MESSAGE_BYTES", 2_000)
    events = [large(revision, ordinal) for revision in range(1, 21) for ordinal in range(3)]
    responses = sent(25, events)
    assert len(responses) > 3
    assert [told.revision for r in responses for told in r.events] == [
        each.change.revision for each in events
    ]
    for response, following in pairwise(responses):
        assert response.position.revision == response.events[-1].revision
        assert following.events[0].revision > response.position.revision
    assert responses[-1].position.revision == 25


def test_a_huge_revision_has_its_position_only_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "MESSAGE_BYTES", 1_000)
    monkeypatch.setattr(watch, "LARGEST_REVISION_BYTES", 4_000)
    responses = sent(5, [large(5, ordinal) for ordinal in range(40)])
    assert len(responses) > 2
    assert [response.position.revision for response in responses[:-1]] == [4] * (len(responses) - 1)
    assert responses[-1].position.revision == 5
    assert sum(len(response.events) for response in responses) == 40
