"""Images of statuses: small, and read back as they were."""

from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.intent.control_unit import ControlUnitStatus, PassedState
from metadata_server.domain.life.recovery import Recovery
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import Contact, State
from metadata_server.store.life.status_images import (
    SESSION_COLUMNS,
    session_image,
    session_of,
    status_image,
    status_of,
)

TIME_US = 1_700_000_000_000_000
HASHES = st.sampled_from(["", "0" * 64, "f" * 64, "0123456789abcdef" * 4])
TIMES = st.integers(0, TIME_US)
TEXTS = st.text(max_size=20)
STATES = st.sampled_from(list(State))
STATUSES = st.builds(
    ControlUnitStatus,
    id=st.just("A/PS"),
    key=st.just(7),
    unit_server=st.just("US"),
    session=st.just("s"),
    sequence=st.integers(0, 2**62),
    state=STATES,
    state_time_us=TIMES,
    message=TEXTS,
    passed=st.lists(st.builds(PassedState, STATES, TIMES, TEXTS), max_size=3).map(tuple),
    reached_generation=st.integers(0, 2**62),
    reached_recover_count=st.integers(0, 2**62),
    dataset=HASHES,
    fingerprint=HASHES.map(lambda digest: digest and f"v1:{digest}"),
    unfenced=st.booleans(),
    recovery=st.builds(Recovery, st.integers(0, 9), TIMES, TEXTS),
    revision=st.just(12),
)


@given(STATUSES)
def test_an_image_reads_back_as_the_status_it_was(status: ControlUnitStatus) -> None:
    row = {
        "image": status_image(status, TIME_US),
        "time_us": TIME_US,
        "key": 7,
        "session": "s",
        "revision": 12,
    }
    assert status_of(row, id="A/PS", unit_server="US") == status


def test_an_image_of_a_unit_that_runs_well_takes_less_than_200_bytes() -> None:
    status = ControlUnitStatus(
        id="A/PS",
        key=7,
        session="s",
        sequence=123_456,
        state=State.INITIALIZED,
        state_time_us=TIME_US - 50_000,
        reached_generation=12,
        dataset="a" * 64,
        fingerprint=f"v1:{'b' * 64}",
    )
    assert len(status_image(status, TIME_US)) < 200


def test_an_image_of_a_session_tells_how_it_ended() -> None:
    image = session_image(Contact.LOST, TIME_US, (TIME_US - 900_000, EndReason.LEASE_ENDED))
    row = {
        "image": image,
        "time_us": TIME_US,
        "key": 7,
        "session": "s",
        "revision": 12,
        **{column.name: None for column in SESSION_COLUMNS},
    }
    session = session_of(row, unit_server="US")
    assert session.contact is Contact.LOST
    assert session.end_reason is EndReason.LEASE_ENDED
    assert session.end_time_us == TIME_US - 900_000
