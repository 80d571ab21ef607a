"""The class that authors of control units derive from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from control_units import hooks
from control_units.attributes import Attribute, Description, Direction
from control_units.faults import NotSet, NotWritable
from control_units.states import State

Outcome = Awaitable[None] | None

RESERVED = frozenset(
    {
        "attributes", "configure", "dataset", "drivers", "fail", "id", "implementation",
        "parameters", "read", "set", "state", "values", "write",
    }
)  # fmt: skip
"""Names that a subclass cannot use for something of its own."""


@dataclass(frozen=True, slots=True)
class Driver:
    """How a unit speaks to its hardware; the init parameter is the driver's own text."""

    name: str
    version: str = ""
    init_parameter: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


class ControlUnit:
    """The software object in front of one device.

    A subclass declares attributes and whichever hooks it needs. A hook may be `async def`, or
    plain `def`: then it runs in a thread of its own and may block. An exception in a hook puts
    this unit into RECOVERABLE_ERROR (`FatalError`: into FATAL_ERROR) with its message; other
    units do not notice.

    Class attributes:
        implementation: name of the class in the facility's templates; the Python class's own
            unless `class MyUnit(ControlUnit, implementation="::site::MyUnit")` says otherwise.
        hook_deadline: seconds that a hook may take.
        hook_warning: a hook that has not returned after so many seconds is told to people.
        recover_attempts: how often the unit server tries by itself to get a unit out of
            RECOVERABLE_ERROR, before it waits for people; 0: never.
        recover_pause: seconds before the first of these attempts, at most; doubled for each
            further one.
        longest_recover_pause: seconds before any of them, at most. A unit that has been well
            for so long has all its attempts back.
        cycle_period: seconds from one call of `on_cycle` to the next, while RUNNING.
    """

    implementation: ClassVar[str] = ""
    dataset: ClassVar[Mapping[str, Description]] = {}
    hook_deadline: ClassVar[float] = 30.0
    hook_warning: ClassVar[float] = 10.0
    recover_attempts: ClassVar[int] = 5
    recover_pause: ClassVar[float] = 5.0
    longest_recover_pause: ClassVar[float] = 300.0
    cycle_period: ClassVar[float] = 1.0

    def __init_subclass__(cls, implementation: str | None = None, **kwargs: Any) -> None:
        """
        Raises:
            TypeError: the class takes a name that control units need themselves.
        """
        super().__init_subclass__(**kwargs)
        if taken := sorted(RESERVED & vars(cls).keys()):
            raise TypeError(
                f"{cls.__name__} defines {', '.join(taken)}, which control units have already; "
                "for an attribute of that name write other = attribute(name=…)."
            )
        cls.implementation = implementation or cls.__name__
        cls.dataset = _dataset_of(cls)

    def __init__(self, id: str) -> None:
        self.id = id
        self.state = State.UNLOADED
        self.drivers: tuple[Driver, ...] = ()
        self.parameters: Mapping[str, str] = {}
        self.attributes: Mapping[str, Description] = self.dataset
        self._values: dict[str, Any] = {}
        self._on_failure: Callable[[str, bool], None] | None = None
        self._on_values: Callable[[], None] | None = None
        self._setting = asyncio.Semaphore(1)
        self._take_defaults(self.dataset.values())

    def on_init(self) -> Outcome:
        """Opens the hardware. Inputs have their default values here, without `on_set`."""
        return None

    def on_start(self) -> Outcome:
        """Begins the work."""
        return None

    def on_stop(self) -> Outcome:
        """Ends the work; may be called when it has never begun."""
        return None

    def on_deinit(self) -> Outcome:
        """Lets go of the hardware; may be called after a failed or unfinished `on_init`."""
        return None

    def on_recover(self) -> Outcome:
        """Does away with the reason of a RECOVERABLE_ERROR; the unit then goes on from the
        state before it."""
        return None

    def on_set(self, name: str, value: Any, /) -> Outcome:  # noqa: ARG002  # its overriders use them
        """Sends a new set-point to the hardware; the attribute has this value already.

        Raising refuses it, and the attribute gets its value back.
        """
        return None

    def on_cycle(self) -> Outcome:
        """Does one round of work while RUNNING, `cycle_period` after the round before."""
        return None

    def fail(self, message: str, *, fatal: bool = False) -> None:
        """Says that the unit no longer works; may be called from any thread."""
        if self._on_failure is not None:
            self._on_failure(str(message), fatal)  # many an author gives the exception

    def read(self, name: str) -> Any:
        """The value of an attribute.

        Raises:
            NotSet: it has none yet.
            KeyError: there is no such attribute.
        """
        try:
            return self._values[name]
        except KeyError:
            self._described(name)
            raise NotSet(
                f"{self.id}: {name} has no value yet; give it a default, or set it in on_init."
            ) from None

    def write(self, name: str, value: object) -> None:
        """Sets a read-back; may be called from any thread.

        Raises:
            NotWritable: the attribute is an input.
            WrongType, OutOfRange: the value does not fit it.
        """
        description = self._described(name)
        if description.direction is Direction.INPUT:
            raise NotWritable(
                f"{self.id}: {name} is an input, which only set-points write; "
                "declare it BIDIRECTIONAL if the unit writes it too."
            )
        self._values[name] = description.accept(value)
        if description.direction is not Direction.OUTPUT:
            self._tell_values()

    async def set(self, name: str, value: object) -> None:
        """Writes a set-point and tells `on_set`.

        Raises:
            NotWritable: the attribute is an output.
            WrongType, OutOfRange: the value does not fit it.
            Exception: whatever `on_set` raised; the attribute has its value back.
        """
        description = self._described(name)
        if description.direction is Direction.OUTPUT:
            raise NotWritable(f"{self.id}: {name} is an output, which only the unit writes.")
        before = self._values.copy()
        self._values[name] = description.accept(value)
        try:
            await hooks.call(
                self.on_set,
                name,
                self._values[name],
                deadline=self.hook_deadline,
                slots=self._setting,
            )
        except BaseException:  # cancelled or failed: nobody has taken the value over
            if name in before:
                self._values[name] = before[name]
            else:
                del self._values[name]
            raise
        finally:
            self._tell_values()  # of one that was refused, somebody may have seen the value

    def values(self) -> dict[str, Any]:
        """The values that are set, by name of the attribute."""
        return dict(self._values)

    def configure(
        self,
        attributes: Mapping[str, Description],
        drivers: Iterable[Driver],
        parameters: Mapping[str, str],
    ) -> None:
        """Takes over what the unit shall use; inputs get their defaults.

        Raises:
            UnitFault: a default is no value of its attribute.
        """
        self._take_defaults(
            each for each in attributes.values() if each.direction is not Direction.OUTPUT
        )
        self.attributes = attributes
        self.drivers = tuple(drivers)
        self.parameters = parameters
        self._tell_values()

    def _tell_values(self) -> None:
        if self._on_values is not None:
            self._on_values()

    def _take_defaults(self, descriptions: Iterable[Description]) -> None:
        for description in descriptions:
            default = description.default()
            if default is not None:
                self._values[description.name] = default

    def _described(self, name: str) -> Description:
        try:
            return self.attributes[name]
        except KeyError:
            raise KeyError(f"{self.id} has no attribute {name!r}.") from None


def _dataset_of(cls: type[ControlUnit]) -> dict[str, Description]:
    """The attributes of a class and of those it derives from, sorted by name."""
    found: dict[str, Description] = {}
    for base in reversed(cls.__mro__):
        for value in vars(base).values():
            if isinstance(value, Attribute):
                found[value.description.name] = value.description
    return dict(sorted(found.items()))
