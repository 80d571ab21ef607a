"""What a unit's report says about an order to it."""

from typing import Any

import pytest
from mds.v1.control_unit_pb2 import ControlUnit, ControlUnitStatus
from mds.v1.state_pb2 import Contact, State
from mds.v1.watch_pb2 import Event, EventAction

from control_units.cli.arrivals import Arrivals, Fate, fate_of

NAME = "control_units/A"


def unit(desired: str = "RUNNING", **fields: Any) -> ControlUnit:
    state = State.Value(f"STATE_{desired}")
    return ControlUnit(name=NAME, generation=3, revision=10, desired_state=state, **fields)


def status(state: str, contact: str = "ALIVE", **fields: Any) -> ControlUnitStatus:
    return ControlUnitStatus(
        control_unit=NAME,
        state=State.Value(f"STATE_{state}"),
        contact=Contact.Value(f"CONTACT_{contact}"),
        **{"revision": 11, "reached_generation": 3} | fields,
    )


@pytest.mark.parametrize(
    ("wanted", "said", "fate"),
    [
        (unit(), status("RUNNING"), Fate.REACHED),
        (unit(), status("RUNNING", reached_generation=2), Fate.COMING),
        (unit(), status("STOPPED"), Fate.COMING),
        (unit("UNSPECIFIED"), status("STOPPED"), Fate.REACHED),
        (unit(), status("RUNNING", "SUSPECT"), Fate.REACHED),
        (unit(), status("RUNNING", "LOST"), Fate.COMING),
        (unit(), status("RECOVERABLE_ERROR", "NONE"), Fate.COMING),
        (unit("UNLOADED"), status("RUNNING", "NONE"), Fate.REACHED),
        (unit("UNLOADED"), status("RUNNING", "LOST"), Fate.COMING),
        (unit(), status("RECOVERABLE_ERROR"), Fate.FAILED),
        (unit(recover_count=1), status("RECOVERABLE_ERROR"), Fate.COMING),
        (
            unit(recover_count=1),
            status("RECOVERABLE_ERROR", reached_recover_count=1),
            Fate.FAILED,
        ),
        (unit(), status("FATAL_ERROR"), Fate.FAILED),
        (unit(), status("FATAL_ERROR", revision=9), Fate.COMING),
        (unit("LOADED"), status("FATAL_ERROR", revision=9), Fate.FAILED),
    ],
)
def test_a_report_tells_what_became_of_an_order(
    wanted: ControlUnit, said: ControlUnitStatus, fate: Fate
) -> None:
    assert fate_of(wanted, said) is fate


def test_an_older_report_changes_nothing() -> None:
    arrivals = Arrivals([unit()])
    arrivals.take_status(status("RUNNING", revision=12))
    arrivals.take_status(status("STOPPED", revision=11))
    assert arrivals.count(Fate.REACHED) == 1


def test_another_change_of_a_unit_has_to_be_reached_too() -> None:
    arrivals = Arrivals([unit()])
    arrivals.take_status(status("RUNNING"))
    later = ControlUnit(name=NAME, generation=4, revision=12, desired_state=State.STATE_RUNNING)
    arrivals.take(Event(name=NAME, control_unit=later))
    assert arrivals.count(Fate.COMING) == 1
    arrivals.take_status(status("RUNNING", revision=13, reached_generation=4))
    assert arrivals.count(Fate.REACHED) == 1


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (
            Event(name=NAME, action=EventAction.EVENT_ACTION_DELETED, author="carla"),
            "carla has deleted it",
        ),
        (
            Event(
                name="control_units/B",
                former_name=NAME,
                author="carla",
                control_unit=ControlUnit(name="control_units/B", revision=12),
            ),
            "carla has renamed it to B",
        ),
    ],
)
def test_a_unit_that_is_gone_is_not_waited_for(event: Event, why: str) -> None:
    arrivals = Arrivals([unit()])
    arrivals.take(event)
    (superseded,) = arrivals.of(Fate.SUPERSEDED)
    assert superseded.why == why
