"""Where a control unit stands in its life."""

from enum import IntEnum


class State(IntEnum):
    """`mds.v1.State`, number for number, for code that need not know the wire."""

    UNSPECIFIED = 0
    UNLOADED = 1
    LOADED = 2
    INITIALIZED = 3
    RUNNING = 4
    STOPPED = 5
    RECOVERABLE_ERROR = 6
    FATAL_ERROR = 7

    @property
    def is_error(self) -> bool:
        return self >= State.RECOVERABLE_ERROR

    @property
    def holds_hardware(self) -> bool:
        """Whether a unit here has been initialised and not yet deinitialised."""
        return self in {State.INITIALIZED, State.RUNNING, State.STOPPED}
