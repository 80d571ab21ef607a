"""Reports that wait to be written for good."""

from hypothesis import given
from hypothesis import strategies as st
from mds.v1 import registration_pb2

from control_units.hosted_unit import Standing
from control_units.outbox import MAXIMUM_PASSED, MAXIMUM_REPORTS, WINDOW, Outbox
from control_units.states import State

ID = "A/B"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def outbox(clock: Clock | None = None) -> Outbox:
    return Outbox(lambda _: "hash", clock=clock or Clock())


def reports(messages: list[registration_pb2.Reports]) -> list[registration_pb2.UnitReport]:
    return [report for message in messages for report in message.reports]


def test_states_on_the_way_travel_with_the_last_one_and_their_ages() -> None:
    clock = Clock()
    box = outbox(clock)
    box.note(ID, Standing(State.UNLOADED, 90.0))
    box.note(ID, Standing(State.LOADED, 97.0, "built"))
    box.note(ID, Standing(State.RUNNING, 99.0))
    clock.now = 101.0
    (report,) = reports(box.collect())
    assert report.control_unit == "control_units/A/B"
    assert State(report.state) is State.RUNNING
    assert report.age.ToSeconds() == 2
    assert [(State(each.state), each.age.ToSeconds(), each.message) for each in report.passed] == [
        (State.UNLOADED, 11, ""),
        (State.LOADED, 4, "built"),
    ]
    assert report.dataset_hash == "hash"


def test_a_state_that_was_told_is_not_told_again_on_the_way() -> None:
    box = outbox()
    box.note(ID, Standing(State.LOADED, 1.0))
    box.collect()
    box.note(ID, Standing(State.LOADED, 1.0, reached_generation=2))
    box.note(ID, Standing(State.INITIALIZED, 2.0))
    (report,) = reports(box.collect())
    assert list(report.passed) == []


def test_what_did_not_change_is_not_reported_again() -> None:
    box = outbox()
    box.note(ID, Standing(State.LOADED, 1.0))
    box.collect()
    box.note(ID, Standing(State.LOADED, 1.0))
    assert not box.has_due
    assert box.collect() == []


def test_what_is_not_acknowledged_is_sent_again_on_the_next_stream_as_it_was() -> None:
    box = outbox()
    box.note(ID, Standing(State.LOADED, 1.0))
    box.note("C", Standing(State.LOADED, 1.0))
    first = reports(box.collect())
    box.note(ID, Standing(State.RUNNING, 2.0))
    second = reports(box.collect())
    box.acknowledge(first[0].sequence)
    again = reports(box.begin_stream())
    assert [each.sequence for each in again] == [first[1].sequence, second[0].sequence]
    assert [State(each.state) for each in again] == [State.LOADED, State.RUNNING]
    assert not box.is_empty
    box.acknowledge(second[0].sequence)
    assert box.is_empty
    assert box.begin_stream() == []


def test_a_new_session_hears_of_every_unit_and_nothing_of_before() -> None:
    box = outbox()
    box.note(ID, Standing(State.RUNNING, 1.0))
    (old,) = reports(box.collect())
    box.acknowledge(old.sequence)
    box.note("C", Standing(State.LOADED, 1.0))
    box.collect()
    box.begin_anew()
    assert box.begin_stream() == []
    fresh = reports(box.collect())
    assert {each.control_unit for each in fresh} == {"control_units/A/B", "control_units/C"}
    assert all(each.sequence > old.sequence for each in fresh)


def test_a_unit_that_flaps_without_answer_takes_bounded_room() -> None:
    box = outbox()
    sent = 0
    for number in range(1000):
        state = State.RUNNING if number % 2 else State.STOPPED
        box.note(ID, Standing(state, float(number)))
        sent += len(reports(box.collect()))
    assert sent == WINDOW
    box.acknowledge(WINDOW)
    (report,) = reports(box.collect())
    assert len(report.passed) == MAXIMUM_PASSED
    assert State(report.passed[-1].state) is State.STOPPED
    assert State(report.state) is State.RUNNING


def test_a_message_carries_no_more_than_the_contract_allows() -> None:
    box = outbox()
    for number in range(MAXIMUM_REPORTS + 1):
        box.note(str(number), Standing(State.LOADED, 1.0))
    assert [len(each.reports) for each in box.collect()] == [MAXIMUM_REPORTS, 1]


def test_a_refused_report_is_not_sent_again() -> None:
    box = outbox()
    box.note(ID, Standing(State.LOADED, 1.0))
    box.collect()
    box.refuse(ID)
    assert box.begin_stream() == []
    assert box.is_empty


def test_nothing_more_is_told_of_a_unit_that_is_no_longer_hosted() -> None:
    box = outbox()
    box.note(ID, Standing(State.LOADED, 1.0))
    box.forget(ID)
    assert box.collect() == []


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("note"), st.sampled_from("ABC"), st.sampled_from(list(State))),
            st.tuples(st.just("collect")),
            st.tuples(st.just("acknowledge")),
            st.tuples(st.just("break")),
        )
    )
)
def test_whatever_breaks_a_server_ends_with_what_each_unit_is(
    doings: list[tuple[object, ...]],
) -> None:
    """Plays a server that takes a report only when its sequence grows, as the fence does."""
    box, now = outbox(), 0.0
    written: dict[str, registration_pb2.UnitReport] = {}
    truth: dict[str, State] = {}
    last_sent = 0

    def send(messages: list[registration_pb2.Reports]) -> None:
        nonlocal last_sent
        for report in reports(messages):
            last_sent = max(last_sent, report.sequence)
            known = written.get(report.control_unit)
            if known is None or known.sequence < report.sequence:
                written[report.control_unit] = report

    for doing in doings:
        now += 1.0
        match doing:
            case ("note", str(id), State() as state):
                box.note(id, Standing(state, now))
                truth[id] = state
            case ("collect",):
                send(box.collect())
            case ("acknowledge",):
                box.acknowledge(last_sent)
            case _:
                box.collect()  # lost on the way
                send(box.begin_stream())
    send(box.begin_stream())
    send(box.collect())
    while box.has_due or not box.is_empty:
        box.acknowledge(last_sent)
        send(box.collect())
    assert {id: State(written[f"control_units/{id}"].state) for id in truth} == truth
