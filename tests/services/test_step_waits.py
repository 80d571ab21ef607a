"""What a step that has not begun waits for, as it is told."""

from dataclasses import replace

from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Operation, Order, Phase
from metadata_server.domain.orchestration.operation_step import Step, StepMinor
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.orchestration.step_waits import Waits
from metadata_server.store.orchestration.open_steps import OpenStep


def operation(verb: Verb = Verb.START, *, at_once: int = 0, at_a_server: int = 0) -> Operation:
    order = Order(verb=verb, at_once=at_once, at_once_per_unit_server=at_a_server)
    return Operation(id="o", key=1, order=order, phase=Phase.EXECUTING)


def step(id: str, *, level: int = 1, requires: tuple[str, ...] = ()) -> Step:
    return Step(position=0, unit_key=1, id=id, level=level, unit_server="S", requires=requires)


def is_open(step: Step, state: StepState = StepState.PENDING) -> OpenStep:
    return OpenStep(
        step.id, state, step.is_way_back, step.level, step.unit_server, step.requires, step.after
    )


def told(given: Operation, asked: Step, *others: OpenStep) -> tuple[str, str]:
    found = Waits(given, [*others, is_open(asked)]).told(asked)
    return found.minor_state, found.message


def test_a_start_waits_for_the_lowest_level_that_is_not_there() -> None:
    others = [is_open(step(id, level=level)) for id, level in (("A", 2), ("B", 3), ("C", 2))]
    expected = (StepMinor.WAITING_FOR_LEVEL, "waits for 2 units of level 2")
    assert told(operation(), step("D", level=4), *others) == expected


def test_a_stop_waits_for_the_highest_level() -> None:
    others = [is_open(step(id, level=level)) for id, level in (("A", 2), ("B", 3), ("C", 1))]
    expected = (StepMinor.WAITING_FOR_LEVEL, "waits for 1 unit of level 3")
    assert told(operation(Verb.STOP), step("D"), *others) == expected


def test_a_start_waits_for_the_first_of_a_group_that_it_requires() -> None:
    others = [is_open(step(id), StepState.EXECUTING) for id in ("RING/2", "RING/7", "LINE/1")]
    expected = (StepMinor.WAITING_FOR_UNIT, "waits for RING/2, which is EXECUTING")
    assert told(operation(), step("D", requires=("MAG/", "RING/")), *others) == expected
    expected = (StepMinor.WAITING_FOR_UNIT, "waits for RING/7, which is EXECUTING")
    assert told(operation(), step("D", requires=("RING/7",)), *others) == expected


def test_a_stop_waits_for_who_requires_it() -> None:
    others = [is_open(step("A")), is_open(step("B", requires=("D",)))]
    expected = (StepMinor.WAITING_FOR_UNIT, "waits for B, which is PENDING")
    assert told(operation(Verb.STOP), step("D"), *others) == expected


def test_what_may_begin_waits_for_a_place_over_all_or_at_its_unit_server() -> None:
    busy = is_open(step("A"), StepState.EXECUTING)
    elsewhere = busy._replace(id="B", unit_server="T")
    expected = (StepMinor.WAITING_FOR_PLACE, "2 of 2 are under way")
    assert told(operation(at_once=2), step("D"), busy, elsewhere) == expected
    limited = operation(at_a_server=1)
    expected = (StepMinor.WAITING_FOR_PLACE, "1 of 1 are under way at S")
    assert told(limited, step("D"), busy, elsewhere) == expected
    begins = (StepMinor.WAITING, "it begins now")
    assert told(limited, replace(step("D"), unit_server="U"), busy, elsewhere) == begins


def test_the_way_back_waits_only_for_itself() -> None:
    others = [is_open(step("A", level=0)), is_open(replace(step("B", level=5), is_way_back=True))]
    asked = replace(step("D", level=3), is_way_back=True)
    expected = (StepMinor.WAITING_FOR_LEVEL, "waits for 1 unit of level 5")
    assert told(operation(), asked, *others) == expected
