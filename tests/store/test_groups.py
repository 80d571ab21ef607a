"""Groups of control units as the database counts them, and since when they are not good."""

import pytest
from sqlalchemy import update

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.condition import NOT_CONVERGING, Condition
from metadata_server.domain.life.groups import grouping_of
from metadata_server.domain.life.overview import Cause
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.store import schema
from metadata_server.store.life.conditions import Held, write_conditions
from metadata_server.store.life.groups import read_groups
from metadata_server.store.life.overview import read_overview
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.life.statuses import save_statuses
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

CALLER = Caller(principal=Principal("tester"), method="Tests.Change")
UNITS = {
    "A/1": ("S", "PS", {"section": "north"}, State.FATAL_ERROR, 300),
    "A/2": ("S", "PS", {"section": "south"}, State.FATAL_ERROR, 200),
    "A/3": ("S", "Kicker", {}, State.LOADED, 100),
    "B/1": ("GONE", "Kicker", {"section": "north"}, State.RUNNING, 100),
}
"""By id: unit server, template, labels, state, and since when."""
STUCK_SINCE, LOST_SINCE = 400, 500


@pytest.fixture
def facility(store: Store) -> Store:
    def declare(unit: UnitOfWork) -> None:
        for template in ("Kicker", "PS"):
            unit.save(Template(id=template, version=1))
        for server in ("GONE", "S"):
            unit.save(UnitServer(id=server))
        for id, (server, template, labels, *_) in UNITS.items():
            unit.save(
                ControlUnit(
                    id=id,
                    template=template,
                    template_version=1,
                    unit_server=server,
                    desired_state=State.RUNNING,
                    labels=labels,
                )
            )
        unit.save(ControlUnit(id="loose", template="PS", template_version=1))

    def live(unit: UnitOfWork) -> None:
        for server in ("GONE", "S"):
            key = unit.keys.key_of(Kind.UNIT_SERVER, server)
            session = Session(id=f"run-{server}", unit_server=server, unit_server_key=key)
            begin_session(unit, session, lease_us=20_000_000)
        keys = unit.keys.find(Kind.CONTROL_UNIT, list(UNITS))
        save_statuses(
            unit,
            [
                ControlUnitStatus(
                    id=id,
                    key=keys[id],
                    unit_server=server,
                    session=f"run-{server}",
                    state=state,
                    state_time_us=since_us,
                )
                for id, (server, _, _, state, since_us) in UNITS.items()
            ],
        )
        hangs = Condition(type=NOT_CONVERGING, reason="R", message="M", since_us=STUCK_SINCE)
        write_conditions(unit, {keys["A/3"]: {NOT_CONVERGING: Held(hangs, "")}})
        lost = schema.session.c.id == "run-GONE"
        unit.connection.execute(update(schema.session).where(lost).values(end_time_us=LOST_SINCE))
        unit.connection.execute(
            update(schema.lease)
            .where(schema.lease.c.session == "run-GONE")
            .values(contact=Contact.LOST.value, ended=True)
        )

    store.transact_now(declare, caller=CALLER)
    store.transact_now(live)
    return store


def grouped(store: Store, by: str) -> dict[str, int]:
    found = store.read_now(lambda unit: read_groups(unit, grouping_of(by))).value
    return {group.name: group.tally.units for group in found.groups}


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("", {"A": 3, "B": 1, "": 1}),
        ("unit_server", {"S": 3, "GONE": 1, "": 1}),
        ("template", {"PS": 3, "Kicker": 2}),
        ("label.section", {"north": 2, "south": 1, "": 2}),
        ("label.nothing", {"": 5}),
    ],
)
def test_units_are_grouped_by_what_they_have_in_common(
    facility: Store, by: str, groups: dict[str, int]
) -> None:
    assert grouped(facility, by) == groups


@pytest.mark.parametrize("by", ["health", "label", "label.", 'label."', "ZONE"])
def test_what_units_cannot_have_in_common_is_refused(by: str) -> None:
    with pytest.raises(Refused, match=r"label\.section"):
        grouping_of(by)


def test_zones_say_since_when_the_first_unit_is_not_good(facility: Store) -> None:
    seen = facility.read_now(lambda unit: read_overview(unit, abnormal_limit=9)).value
    causes = {zone.name: zone.tally.causes for zone in seen.zones}
    assert causes == {
        "A": (
            Cause("in FATAL_ERROR", 2, Health.BAD, since_us=200),
            Cause("stuck before RUNNING", 1, Health.WARNING, since_us=STUCK_SINCE),
        ),
        "B": (Cause("LOST", 1, Health.BAD, since_us=LOST_SINCE),),
        "": (),
    }
