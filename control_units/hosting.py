"""All control units of one unit server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from weakref import WeakKeyDictionary

import structlog
from google.rpc import code_pb2
from mds.v1 import registration_pb2

from control_units.configuration import to_wire
from control_units.control_unit import ControlUnit
from control_units.cycle import Spawn
from control_units.fingerprint import dataset_hash, digest
from control_units.hosted_unit import HostedUnit
from control_units.live_values import LiveValues
from control_units.outbox import Outbox
from control_units.states import State

MAXIMUM_THREADS = 32
"""Plain hooks that run at once in one process."""

_UNITS = "control_units/"

log = structlog.get_logger(__name__)


class HostedClasses:
    """The classes that a unit server can build, by the names that templates use."""

    def __init__(self, classes: Iterable[type[ControlUnit]]) -> None:
        self._classes = {each.implementation.removeprefix("::"): each for each in classes}
        self._hashes = {
            each: dataset_hash(each.dataset.values()) for each in self._classes.values()
        }

    def find(self, implementation: str) -> type[ControlUnit] | None:
        """A leading `::` makes no difference."""
        return self._classes.get(implementation.removeprefix("::"))

    def hash(self, hosted_class: type[ControlUnit]) -> str:
        """Of the dataset that its units publish."""
        return self._hashes.get(hosted_class, "")

    def told(self) -> list[registration_pb2.HostedClass]:
        """As a registration names them."""
        return [
            registration_pb2.HostedClass(implementation=each.implementation, dataset_hash=content)
            for each, content in self._hashes.items()
        ]

    def datasets(self, hashes: Iterable[str]) -> registration_pb2.PublishedDatasets:
        """Those with these hashes, each once."""
        by_hash = {content: each for each, content in self._hashes.items()}
        return registration_pb2.PublishedDatasets(
            datasets=[
                registration_pb2.PublishedDataset(
                    hash=content,
                    attributes=[to_wire(each) for each in by_hash[content].dataset.values()],
                    implementation=by_hash[content].implementation,
                )
                for content in dict.fromkeys(hashes)
                if content in by_hash
            ]
        )


class Hosting:
    """The units, by id, each converging by itself.

    Attributes:
        outbox: what they have become.
        values: what their inputs are set to.
        changed: set whenever the copy on disk may have to change.
        reported: set whenever there is something to send.
    """

    def __init__(
        self, classes: HostedClasses, *, spawn: Spawn, recover_attempts: int | None = None
    ) -> None:
        self._classes = classes
        self._recover_attempts = recover_attempts
        self._spawn = spawn
        self._slots = asyncio.Semaphore(MAXIMUM_THREADS)
        self._units: dict[str, HostedUnit] = {}
        self._leaving: list[HostedUnit] = []
        self._is_ending = False
        self._kept: dict[str, registration_pb2.Assignment] = {}
        # What units last understood, of those that have been told something else since.
        self._understood = WeakKeyDictionary[HostedUnit, registration_pb2.Assignment]()
        self._is_held = False
        self._is_unfenced = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self.outbox = Outbox(self._hash_of)
        self.values = LiveValues()
        self.changed = asyncio.Event()
        self.reported = asyncio.Event()

    @property
    def units(self) -> Mapping[str, HostedUnit]:
        return self._units

    def remember(self, kept: registration_pb2.RegisterResponse) -> None:
        """Holds configurations of an earlier run, which need not be sent again if still right."""
        self._kept = {_id(each.control_unit): each for each in kept.assignments}

    def start_from_memory(self) -> bool:
        """Hosts the units of that earlier run as they were; whether there are any."""
        self.replace_all(self._kept.values())
        self.fence(unfenced=True)
        return bool(self._units)

    def replace_all(self, assignments: Iterable[registration_pb2.Assignment]) -> None:
        """Hosts exactly these; those that are not among them leave."""
        assignments = list(assignments)
        kept = {_id(each.control_unit) for each in assignments}
        self._rename(assignments)
        self.remove(id for id in list(self._units) if id not in kept)
        # One of those that leave may be a new one by its former name.
        self._host(assignments, after=lambda _: list(self._leaving))
        self._kept = {}

    def assign(self, assignments: Iterable[registration_pb2.Assignment]) -> None:
        """Takes new units over, and what changed of others."""
        assignments = list(assignments)
        self._rename(assignments)
        self._host(assignments, after=self._leaving_namesakes)

    def _host(
        self,
        assignments: Iterable[registration_pb2.Assignment],
        *,
        after: Callable[[str], Sequence[HostedUnit]],
    ) -> None:
        if self._is_ending:
            return  # what comes now is for the next run
        self._loop = asyncio.get_running_loop()
        self._forget_gone()
        for assignment in assignments:
            id = _id(assignment.control_unit)
            unit = self._units.get(id)
            self._complete(assignment, unit)
            hosted_class = self._class_for(assignment, unit)
            if unit is None:
                unit = self._units[id] = self._build(id, hosted_class, after=after(id))
                unit.hold(is_held=self._is_held)
                self._note(unit)
            try:
                unit.assign(assignment, hosted_class)
                self._understood.pop(unit, None)
            except ValueError as error:
                self._refuse(assignment, unit, error)
        self.changed.set()

    def _refuse(
        self, assignment: registration_pb2.Assignment, unit: HostedUnit, error: ValueError
    ) -> None:
        """Fails a unit that is told what this release does not know, such as a type of a newer
        one; the others go on. It has not reached what it is told, and keeps what it knew."""
        message = f"NEEDS_NEWER_RELEASE: its unit server needs a newer release: {error}."
        log.warning("assignment_not_understood", control_unit=unit.id, error=str(error))
        known = registration_pb2.Assignment()
        known.CopyFrom(assignment)
        known.ClearField("configuration")
        known.problem.code = code_pb2.FAILED_PRECONDITION
        known.problem.message = message
        known.generation = unit.assignment.generation
        # One that is new is in error only where something is desired of it.
        desired = unit.assignment.desired_state or int(State.LOADED)
        self._understood.setdefault(unit, unit.assignment)
        known.desired_state = desired  # type: ignore[assignment]  # the same numbers
        unit.assign(known, unit.hosted_class)
        if not assignment.in_maintenance:
            unit.fail_from_any_thread(message, is_fatal=True)

    def _build(
        self, id: str, hosted_class: type[ControlUnit], *, after: Sequence[HostedUnit]
    ) -> HostedUnit:
        return HostedUnit(
            id,
            hosted_class,
            spawn=self._spawn,
            slots=self._slots,
            on_change=self._note,
            on_values=self._note_values,
            recover_attempts=self._recover_attempts,
            after=after,
        )

    def _leaving_namesakes(self, id: str) -> list[HostedUnit]:
        """They drive the same device, and two at once must not."""
        return [each for each in self._leaving if each.id == id]

    def leaving(self, control_units: Collection[str]) -> dict[str, list[HostedUnit]]:
        """Units that were removed by these names and have not let go yet, by name; of most none."""
        self._forget_gone()
        found: dict[str, list[HostedUnit]] = {_id(name): [] for name in control_units}
        for each in self._leaving:
            if each.id in found:
                found[each.id].append(each)
        return {name: found[_id(name)] for name in control_units}

    def _forget_gone(self) -> None:
        self._leaving = [each for each in self._leaving if not each.has_let_go]

    def _rename(self, assignments: Iterable[registration_pb2.Assignment]) -> None:
        """Lets units that have got other names go on under these; two may have swapped theirs."""
        former = {
            _id(each.control_unit): _id(each.former_name)
            for each in assignments
            if each.former_name
        }
        renamed = {id: self._units.pop(old) for id, old in former.items() if old in self._units}
        self.remove([id for id in renamed if id in self._units])  # others had those ids
        for unit in renamed.values():
            self._forget(unit.id)
        for id, unit in renamed.items():
            log.info("control_unit_renamed", control_unit=id, former=unit.id)
            unit.rename(id)
            self._units[id] = unit
            self._note(unit)  # reports that are under way name it by its former id
            self._note_values(unit)

    def remove(self, control_units: Iterable[str]) -> None:
        """Has units leave that are no longer hosted here; nothing more is told of them."""
        self._forget_gone()
        for name in control_units:
            unit = self._units.pop(_id(name), None)
            if unit is not None:
                unit.leave()
                self._leaving.append(unit)
                self._spawn(self._see_off(unit))
                self._forget(unit.id)
        self.changed.set()

    async def _see_off(self, unit: HostedUnit) -> None:
        await unit.gone()
        self.reported.set()

    def _forget(self, control_unit: str) -> None:
        self.outbox.forget(control_unit)
        self.values.forget(control_unit)

    def hold(self, *, is_held: bool) -> None:
        """While they are held, units do not run, whatever is desired."""
        if is_held != self._is_held:
            self._is_held = is_held
            for unit in self._units.values():
                unit.hold(is_held=is_held)

    def fence(self, *, unfenced: bool) -> None:
        """Says of all units whether a server has confirmed what they do."""
        if unfenced == self._is_unfenced:
            return
        self._is_unfenced = unfenced
        for unit in self._units.values():
            unit.fence(unfenced=unfenced)

    async def leave_all(self) -> None:
        """Stops, deinitialises and unloads all units; returns when they have let go, and those
        that were removed before, too. No unit is taken over any more."""
        self._is_ending = True
        for unit in self._units.values():
            unit.leave()
        for unit in [*self._leaving, *self._units.values()]:
            await unit.settled()

    def still_loaded(self) -> list[str]:
        """Ids of units that have not let go, those that were removed included, and those that are
        unloaded while a hook of theirs hangs."""
        units = [*self._leaving, *self._units.values()]
        return [unit.id for unit in units if not unit.has_let_go]

    def held_fingerprints(self) -> dict[str, str]:
        """What is held already, by id of the unit, for a registration."""
        held = {id: kept.fingerprint for id, kept in self._kept.items()}
        held.update(
            (id, unit.wanted_fingerprint)
            for id, unit in self._units.items()
            if unit.wanted_fingerprint
        )
        return held

    def report_all(self) -> None:
        """Has every unit reported again, as it is now."""
        for unit in self._units.values():
            self.outbox.note(unit.id, unit.standing)
        self.outbox.begin_anew()
        self.reported.set()

    def digest(self) -> str:
        """Of what all units have applied; empty: none has applied anything yet."""
        applied = {
            id: unit.applied_fingerprint
            for id, unit in self._units.items()
            if unit.applied_fingerprint
        }
        return digest(applied) if applied else ""

    def copy(self) -> registration_pb2.RegisterResponse:
        """What to start from when no server answers: of each unit the configuration that it
        last was initialised with, or else what the server told; of one that needs a newer release,
        what it had before, as that release may be here by then."""
        kept = registration_pb2.RegisterResponse()
        for unit in self._units.values():
            configuration = unit.good or unit.told
            told = self._understood.get(unit, unit.assignment)
            if configuration is None or told.HasField("problem"):
                continue
            assignment = kept.assignments.add()
            assignment.CopyFrom(told)
            assignment.configuration.CopyFrom(configuration)
            is_good = unit.good is not None
            assignment.fingerprint = (
                unit.applied_fingerprint if is_good else unit.wanted_fingerprint
            )
        return kept

    def _note(self, unit: HostedUnit) -> None:
        if self._units.get(unit.id) is not unit:
            return  # it is leaving, for good
        self.outbox.note(unit.id, unit.standing)
        if self.outbox.has_due:
            self.reported.set()
        if unit.standing.state is State.INITIALIZED:
            self.changed.set()

    def _note_values(self, unit: HostedUnit) -> None:
        """Called from any thread."""
        loaded = unit.unit
        if loaded is None or self._loop is None or self._units.get(unit.id) is not unit:
            return
        if self.values.note(unit.id, loaded):
            self._loop.call_soon_threadsafe(self.reported.set)

    def _complete(self, assignment: registration_pb2.Assignment, unit: HostedUnit | None) -> None:
        """Adds the configuration that the server left out because it is held: from earlier, or,
        when only the class has changed, what the unit was told before."""
        if assignment.HasField("configuration") or assignment.HasField("problem"):
            return
        told = unit.told if unit is not None else None
        if told is None:
            kept = self._kept.get(_id(assignment.control_unit))
            held = kept.configuration if kept is not None else None
        else:
            is_of_old_class = assignment.implementation not in {"", told.implementation}
            held = told if is_of_old_class else None
        if held is not None:
            assignment.configuration.CopyFrom(held)
            if assignment.implementation:
                assignment.configuration.implementation = assignment.implementation

    def _class_for(
        self, assignment: registration_pb2.Assignment, unit: HostedUnit | None
    ) -> type[ControlUnit]:
        """The class of a unit; where there is none the assignment gets the problem that says so."""
        if not assignment.HasField("configuration"):
            return unit.hosted_class if unit is not None else ControlUnit
        implementation = assignment.configuration.implementation
        found = self._classes.find(implementation)
        if found is None and not assignment.HasField("problem"):
            assignment.problem.code = code_pb2.FAILED_PRECONDITION
            assignment.problem.message = (
                f"CLASS_NOT_HOSTED: this unit server does not build {implementation!r}."
            )
        return found or ControlUnit

    def _hash_of(self, control_unit: str) -> str:
        unit = self._units.get(control_unit)
        return self._classes.hash(unit.hosted_class) if unit is not None else ""


def _id(name: str) -> str:
    return name.removeprefix(_UNITS)
