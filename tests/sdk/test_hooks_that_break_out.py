"""What authors' code raises that is no usual exception, and what nobody foresaw: the unit says so, and
lets go of its hardware."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, ClassVar

import pytest
from structlog.testing import capture_logs

from control_units import ControlUnit, State
from control_units.hosting import HostedClasses, Hosting
from tests.sdk.devices import Device, assignment, settle
from tests.stages.waiting import until


class Unspeakable(Exception):  # an author's own
    def __str__(self) -> str:
        raise AttributeError("reason")


class BreaksOut(BaseException):
    """Is no Exception."""


class Plain(ControlUnit):
    """Its plain hooks raise what a test says."""

    raises: ClassVar[dict[str, Callable[[], BaseException]]] = {}
    is_open: ClassVar[bool] = False
    hook_deadline = 5.0
    cycle_period = 0.01
    recover_attempts = 0

    def _do(self, hook: str) -> None:
        if hook in self.raises:
            error = self.raises[hook]()
            raise error

    def on_init(self) -> None:
        Plain.is_open = True
        self._do("init")

    def on_start(self) -> None:
        self._do("start")

    def on_cycle(self) -> None:
        self._do("cycle")

    def on_stop(self) -> None:
        self._do("stop")

    def on_deinit(self) -> None:
        Plain.is_open = False


class Misdeclared(Device):
    """Its author's slip is found only when it is to be tried again."""

    recover_attempts = 1
    recover_pause = "5"  # type: ignore[assignment]  # that is the slip


class CancelledWhenBuilt(ControlUnit):
    def __init__(self, id: str) -> None:
        super().__init__(id)
        raise asyncio.CancelledError


class Circling(ControlUnit):
    """Its round hangs until it is released."""

    begun: ClassVar[threading.Event]
    release: ClassVar[threading.Event]
    stopped_beside_it: ClassVar[bool] = False
    hook_deadline = 0.5
    cycle_period = 0.01

    def on_cycle(self) -> None:
        self.begun.set()
        self.release.wait()

    def on_stop(self) -> None:
        Circling.stopped_beside_it = not self.release.is_set()


CLASSES = HostedClasses([Plain, Device, Misdeclared, CancelledWhenBuilt, Circling])


@pytest.fixture
def tasks() -> set[asyncio.Task[None]]:
    return set()


@pytest.fixture
async def hosting(tasks: set[asyncio.Task[None]]) -> AsyncIterator[Hosting]:
    def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        return task

    Plain.raises.clear()
    Plain.is_open = Circling.stopped_beside_it = False
    Circling.begun, Circling.release = threading.Event(), threading.Event()
    found = Hosting(CLASSES, spawn=spawn)
    yield found
    Circling.release.set()
    await found.leave_all()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    failed = [task.exception() for task in tasks if not task.cancelled()]
    assert not any(failed)


@pytest.mark.parametrize("raised", [asyncio.CancelledError, Unspeakable, BreaksOut])
async def test_a_unit_lets_go_of_its_hardware_whatever_its_hooks_raise(
    hosting: Hosting, raised: Callable[[], BaseException]
) -> None:
    Plain.raises["stop"] = raised
    hosting.assign([assignment("A", implementation="Plain")])
    assert await settle(hosting) == {"A": State.RUNNING}
    unit = hosting.units["A"]
    hosting.remove(["control_units/A"])
    await until(lambda: unit.has_let_go)
    assert not Plain.is_open
    assert unit.standing.state is State.UNLOADED


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (asyncio.CancelledError, "on_start was cancelled from inside."),
        (Unspeakable, "Unspeakable"),
        (BreaksOut, "on_start raised BreaksOut."),
    ],
)
async def test_whatever_a_hook_raises_is_an_error_that_people_see(
    hosting: Hosting, raised: Callable[[], BaseException], message: str
) -> None:
    Plain.raises["start"] = raised
    Device.script["B start"] = raised()
    hosting.assign([assignment("A", implementation="Plain"), assignment("B")])
    error = State.RECOVERABLE_ERROR
    assert await settle(hosting) == {"A": error, "B": error}
    assert {id: unit.standing.message for id, unit in hosting.units.items()} == {
        "A": message,
        "B": message,
    }


@pytest.mark.parametrize("raised", [asyncio.CancelledError, Unspeakable, BreaksOut])
async def test_rounds_do_not_end_in_silence(
    hosting: Hosting, raised: Callable[[], BaseException]
) -> None:
    Plain.raises["cycle"] = raised
    hosting.assign([assignment("A", implementation="Plain")])
    unit = hosting.units["A"]
    await until(lambda: unit.standing.state is State.RECOVERABLE_ERROR)


async def test_a_unit_may_give_an_exception_for_its_failure(hosting: Hosting) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    unit = hosting.units["A"]
    assert unit.unit is not None
    unit.unit.fail(OSError("hot"))  # type: ignore[arg-type]  # as authors do
    await until(lambda: unit.standing.state.is_error)
    assert (unit.standing.state, unit.standing.message) == (State.RECOVERABLE_ERROR, "hot")


async def test_nothing_is_stopped_beside_a_round_that_hangs(hosting: Hosting) -> None:
    hosting.assign([assignment("A", implementation="Circling")])
    await until(Circling.begun.is_set)
    hosting.assign([assignment("A", State.STOPPED, implementation="Circling", generation=2)])
    assert hosting.units["A"].standing.state is State.RUNNING, "the round is under way"
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    assert not Circling.stopped_beside_it
    assert "still running" in hosting.units["A"].standing.message


async def test_a_class_that_is_cancelled_when_it_is_built_is_a_fatal_error(
    hosting: Hosting,
) -> None:
    hosting.assign([assignment("A", implementation="CancelledWhenBuilt")])
    assert await settle(hosting) == {"A": State.FATAL_ERROR}
    assert "It cannot be built: CancelledError" in hosting.units["A"].standing.message


async def test_what_nobody_foresaw_is_a_fatal_error_that_people_see_and_mend(
    hosting: Hosting,
) -> None:
    Device.script["A start"] = OSError("no answer")
    with capture_logs() as logs:
        hosting.assign([assignment("A", implementation="Misdeclared")])
        assert await settle(hosting) == {"A": State.FATAL_ERROR}
    assert "Its unit server has failed: TypeError" in hosting.units["A"].standing.message
    assert "convergence_failed" in [each["event"] for each in logs]
    Device.script.clear()
    hosting.assign([assignment("A", implementation="Misdeclared", generation=2)])
    assert await settle(hosting) == {"A": State.RUNNING}
    assert Device.calls == ["A init", "A start", "A stop", "A deinit", "A init", "A start"]


async def test_what_nobody_foresaw_keeps_no_unit_from_letting_go(hosting: Hosting) -> None:
    Device.script["A stop"] = OSError("no answer")
    hosting.assign([assignment("A", implementation="Misdeclared")])
    assert await settle(hosting) == {"A": State.RUNNING}
    unit = hosting.units["A"]
    hosting.remove(["control_units/A"])
    await until(lambda: unit.has_let_go)
    assert Device.calls[-1] == "A deinit"


async def test_a_unit_whose_way_was_cut_short_has_not_let_go(
    hosting: Hosting, tasks: set[asyncio.Task[None]]
) -> None:
    gate = asyncio.Event()
    Device.script["A stop"] = gate
    hosting.assign([assignment("A")])
    assert await settle(hosting) == {"A": State.RUNNING}
    unit = hosting.units["A"]
    hosting.remove(["control_units/A"])
    await until(lambda: "A stop" in Device.calls)
    for task in tasks:
        task.cancel()
    await unit.settled()
    assert "A deinit" not in Device.calls
    assert not unit.has_let_go
    assert list(hosting.leaving(["control_units/A"]).values()) == [[unit]]
