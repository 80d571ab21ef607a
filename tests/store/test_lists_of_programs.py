"""Unit servers and agents, filtered and sorted by what they last said."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.agent_report import AgentReport
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.store import schema
from metadata_server.store.agents.agent_statuses import lock_agent_status, write_agent_status
from metadata_server.store.agents.agent_tables import agent_status
from metadata_server.store.intent.lists import filtered_page
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.store.filtered_lists import SUSPECT_US, counted, expected, listed, read_all
from tests.store.filters import CALLER, declare_all, report_some

HOUR_US = 3_600_000_000


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    chance = random.Random(20261121)
    with opened_store(database) as store:
        declare_all(store, chance, units=60)
        report_some(store, chance)
        yield store


def test_lost_unit_servers_come_first(store: Store) -> None:
    selection = Selection(kind=Kind.UNIT_SERVER, order_by="contact")
    assert listed(store, selection, size=1) == [
        "SIMPS_0",  # LOST
        "c8:1f:66",  # SUSPECT
        "A/never-came",
        "BTF/CORRECTORS",  # ALIVE
    ]
    lost = replace(selection, filter="contact=LOST,SUSPECT host=node10", order_by="version desc")
    assert listed(store, lost, size=1) == ["SIMPS_0", "c8:1f:66"]


def test_unit_servers_that_nobody_could_hear_are_unknown(store: Store) -> None:
    def go_blind(unit: UnitOfWork) -> None:
        now_us = unit.now_us
        blind = {"blind_since_us": now_us + 9, "blind_until_us": now_us + 3_600_000_000}
        unit.connection.execute(schema.observer.update().values(blind))

    store.transact_now(go_blind)
    subjects, now_us = store.read_now(partial(read_all, kind=Kind.UNIT_SERVER)).value
    for text, order in (("contact=UNKNOWN", "id"), ("", "contact desc")):
        selection = Selection(kind=Kind.UNIT_SERVER, filter=text, order_by=order)
        wanted = expected(subjects, selection, now_us)
        assert listed(store, selection) == wanted
        assert len(wanted) > 2


@pytest.mark.parametrize("is_blind", [False, True])
def test_lost_agents_come_first(store: Store, *, is_blind: bool) -> None:
    def report(unit: UnitOfWork) -> None:
        for id, silent_us, lease_us in (
            ("alive", 0, HOUR_US),
            ("late", 9_000_000, HOUR_US),
            ("lost", 20_000_000, -1),
            ("gone", 0, HOUR_US),
        ):
            key = unit.save(Agent(id=id)).meta.key
            lock_agent_status(unit, key, suspect_us=SUSPECT_US)
            said = AgentReport(agent=id, incarnation="1", ends=id == "gone")
            write_agent_status(unit, key, said, [], start_us=1, lease_us=lease_us)
            row = agent_status.update().where(agent_status.c.agent_key == key)
            unit.connection.execute(row.values(beat_us=unit.now_us - silent_us))
        if is_blind:
            blind = {"blind_since_us": unit.now_us - 10_000_000, "blind_until_us": 2**60}
            unit.connection.execute(schema.observer.update().values(blind))

    store.transact_now(report, caller=CALLER)
    worst = "UNKNOWN" if is_blind else "LOST"
    by_contact = {worst: ["lost"], "SUSPECT": ["late"], "NONE": ["a-never-came", "gone"]}
    by_contact["ALIVE"] = ["alive", "host-3"]
    agents = Selection(kind=Kind.AGENT, order_by="contact")
    assert listed(store, agents, size=1) == [id for ids in by_contact.values() for id in ids]
    for contact, ids in by_contact.items():
        assert listed(store, replace(agents, filter=f"contact={contact}")) == ids
        assert counted(store, Kind.AGENT, f"contact={contact}") == len(ids)
    first = store.read_now(
        partial(filtered_page, selection=agents, size=1, token="", suspect_us=SUSPECT_US)
    ).value
    store.transact_now(
        lambda unit: unit.save(
            replace(unit.resources.get(Agent, "late", lock=True), description="something new")
        ),
        caller=CALLER,
    )
    assert listed(store, agents, size=1, token=first.next_page_token)[0] == "late"


def test_a_program_that_people_change_stays_in_its_place_on_later_pages(store: Store) -> None:
    for kind, type_, order in (
        (Kind.UNIT_SERVER, UnitServer, "contact desc"),
        (Kind.AGENT, Agent, "runs_on"),
    ):
        selection = Selection(kind=kind, order_by=order)
        wanted = listed(store, selection)
        page = partial(filtered_page, selection=selection, size=1, token="")
        first = store.read_now(page).value

        def describe_all(unit: UnitOfWork, type_: Any = type_) -> None:
            ids = [each.id for each in unit.resources.where(type_)]
            for each in unit.resources.find(type_, ids, lock=True).values():
                unit.save(replace(each, description="something new"))

        store.transact_now(describe_all, caller=CALLER)
        later = listed(store, selection, size=1, token=first.next_page_token)
        assert [first.items[0].id, *later] == wanted
