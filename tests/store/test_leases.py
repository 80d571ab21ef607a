"""Leases as rows: renewed together, never revived; and what else of sessions is kept."""

import pytest
from sqlalchemy import select

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.life.state import Contact
from metadata_server.store import schema
from metadata_server.store.chores import TRIM, claim_chore, trim_requests
from metadata_server.store.life.endings import end_sessions, ending_of
from metadata_server.store.life.leases import Renewal, renew
from metadata_server.store.life.sessions import begin_session, sessions_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

LEASE_US = 20_000_000
SECOND_US, DAY_US = 1_000_000, 86_400_000_000


@pytest.fixture
def sessions(store: Store, caller: Caller) -> dict[str, int]:
    """Three sessions, by id, with the keys of their unit servers."""

    def declare(unit: UnitOfWork) -> dict[str, int]:
        servers = [unit.save(UnitServer(id=f"US{number}")) for number in range(3)]
        return {server.id: server.meta.key for server in servers}

    keys = store.transact_now(declare, caller=caller).value

    def begin(unit: UnitOfWork) -> None:
        for name, key in keys.items():
            begun = Session(id=f"of-{name}", unit_server=name, unit_server_key=key)
            begin_session(unit, begun, lease_us=LEASE_US)

    store.transact_now(begin)
    return {f"of-{name}": key for name, key in keys.items()}


def renewed(store: Store, *names: str) -> Renewal:
    return store.transact_now(lambda unit: renew(unit, names, lease_us=LEASE_US)).value


def end(store: Store, name: str) -> None:
    def work(unit: UnitOfWork) -> None:
        ending = ending_of(unit, name)
        assert ending is not None
        end_sessions(unit, [ending], EndReason.GOOD_BYE)

    store.transact_now(work)


def run_out(store: Store, name: str) -> None:
    lease = schema.lease
    store.transact_now(
        lambda unit: unit.connection.execute(
            lease.update().where(lease.c.session == name).values(end_us=unit.now_us)
        )
    )


def test_renewals_say_which_sessions_have_ended(store: Store, sessions: dict[str, int]) -> None:
    end(store, "of-US1")
    answer = renewed(store, "of-US0", "of-US1", "of-nobody")
    assert answer.renewed == {"of-US0"}
    assert answer.ended == {"of-US1", "of-nobody"}


def test_a_lease_that_ran_out_is_not_renewed_and_not_called_ended(
    store: Store, sessions: dict[str, int]
) -> None:
    """Only a sweep can say whether anybody was there to see it."""
    run_out(store, "of-US0")
    answer = renewed(store, "of-US0", "of-US2")
    assert answer.renewed == {"of-US2"}
    assert answer.ended == frozenset()
    lease = schema.lease
    query = select(lease.c.end_us).where(lease.c.session == "of-US0")
    end_us, now_us = store.read_now(
        lambda unit: (unit.connection.execute(query).scalar_one(), unit.now_us)
    ).value
    assert end_us <= now_us


def test_a_renewal_writes_no_revision(store: Store, sessions: dict[str, int]) -> None:
    before = store.read_now(lambda _: None).position
    renewed(store, *sessions)
    assert store.read_now(lambda _: None).position == before


def test_an_ended_session_keeps_why_and_when(store: Store, sessions: dict[str, int]) -> None:
    end(store, "of-US0")
    key = sessions["of-US0"]
    session, lease = store.read_now(lambda unit: sessions_of(unit, [key])).value[key]
    assert session.end_reason is EndReason.GOOD_BYE
    assert session.contact is Contact.NONE
    assert session.end_time_us is not None
    assert session.end_time_us >= session.start_time_us
    assert lease is not None
    assert lease.ended


def test_a_session_ends_once(store: Store, sessions: dict[str, int]) -> None:
    end(store, "of-US0")
    assert store.transact_now(lambda unit: ending_of(unit, "of-US0")).value is None


@pytest.fixture(params=[10 * SECOND_US, DAY_US], ids=["often", "rarely"])
def every_us(request: pytest.FixtureRequest) -> int:
    """How often a chore is done."""
    every: int = request.param
    return every


def test_a_chore_is_claimed_by_one(store: Store, every_us: int) -> None:
    def claim(unit: UnitOfWork) -> bool:
        return claim_chore(unit, TRIM, every_us=every_us)

    assert store.transact_now(claim).value
    assert not store.transact_now(claim).value


def test_a_chore_that_was_put_off_by_a_clock_ahead_is_due(store: Store, every_us: int) -> None:
    ahead = schema.chore.update().values(due_us=schema.chore.c.due_us + 2 * every_us)

    def claim(unit: UnitOfWork) -> bool:
        return claim_chore(unit, TRIM, every_us=every_us)

    assert store.transact_now(claim).value
    store.transact_now(lambda unit: unit.connection.execute(ahead))
    assert store.transact_now(claim).value
    assert not store.transact_now(claim).value


def test_repeated_requests_are_forgotten_after_their_time(store: Store, caller: Caller) -> None:
    row = {
        "principal": "tester",
        "request_id": "r1",
        "method": "Tests.Change",
        "payload_hash": "",
        "revision": 1,
        "answer": "{}",
        "time_us": 100,
    }
    store.transact_now(lambda unit: unit.connection.execute(schema.request.insert(), row))
    assert store.transact_now(lambda unit: trim_requests(unit, 100)).value == 0
    assert store.transact_now(lambda unit: trim_requests(unit, 101)).value == 1
