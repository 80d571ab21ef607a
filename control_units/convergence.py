"""The way of a unit from wherever it is to where people want it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from control_units.states import State


class Step(Enum):
    """One verb of the life of a control unit."""

    LOAD = auto()
    INIT = auto()
    START = auto()
    STOP = auto()
    DEINIT = auto()
    UNLOAD = auto()
    RECOVER = auto()


@dataclass(frozen=True, slots=True)
class Situation:
    """All that decides the next step.

    Attributes:
        state: where the unit is.
        desired: where it should be; UNSPECIFIED: it is left alone.
        is_configured: it uses the configuration that it should use.
        is_recover_due: there is an order to recover that it has not acted on.
        is_init_due: there is a declaration newer than the one that it failed on.
        holds_hardware: it has been initialised, and not deinitialised since; matters in the
            error states, which do not tell.
        is_leaving: it is no longer hosted here, or the process ends: it goes to UNLOADED, and
            an error does not hold it back.
        in_maintenance: it is left as it is, unless it is leaving.
    """

    state: State
    desired: State
    is_configured: bool = True
    is_recover_due: bool = False
    is_init_due: bool = False
    holds_hardware: bool = False
    is_leaving: bool = False
    in_maintenance: bool = False


_UP = {State.UNLOADED: Step.LOAD, State.LOADED: Step.INIT}
_DOWN = {
    State.RUNNING: Step.STOP,
    State.STOPPED: Step.DEINIT,
    State.INITIALIZED: Step.DEINIT,
    State.LOADED: Step.UNLOAD,
}
_RANK = {
    State.UNLOADED: 0,
    State.LOADED: 1,
    State.INITIALIZED: 2,
    State.STOPPED: 3,
    State.RUNNING: 3,
}
_INITIALISED = frozenset({State.INITIALIZED, State.RUNNING, State.STOPPED})


def next_step(now: Situation) -> Step | None:
    """The next verb, or None when there is nothing to do.

    Repeated until it is None it reaches the desired state from any other; RECOVERABLE_ERROR is
    left only by *recover* and FATAL_ERROR only by *init*, unless the unit is leaving.
    """
    if now.is_leaving:
        return _leaving(now)
    if now.in_maintenance:
        return None
    if now.state.is_error:
        return _out_of_error(now)
    if now.desired is State.UNSPECIFIED and now.is_configured:
        return None
    if now.state in _INITIALISED and not now.is_configured:
        # A changed configuration is applied by a new init.
        return _DOWN[now.state]
    return _towards(now.state, now.desired)


def _leaving(now: Situation) -> Step | None:
    if now.state.is_error:
        return Step.DEINIT if now.holds_hardware else Step.UNLOAD
    return _DOWN.get(now.state)


def _out_of_error(now: Situation) -> Step | None:
    if now.state is State.RECOVERABLE_ERROR:
        return Step.RECOVER if now.is_recover_due else None
    return Step.INIT if now.is_init_due and now.desired in _INITIALISED else None


def _towards(state: State, desired: State) -> Step | None:
    if state is desired or desired not in _RANK:
        return None
    if _RANK[state] > _RANK[desired]:
        return _DOWN[state]
    if desired is State.STOPPED and state in {State.INITIALIZED, State.RUNNING}:
        return Step.STOP
    return _UP.get(state, Step.START)
