"""The other things that a facility declares: agents, execution units, variables, scripts,
snapshots, policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from metadata_server.domain.intent.attribute import AttributeOverride, Driver, ValueType
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent(Resource):
    """The daemon on a host that launches, keeps alive and stops unit servers."""

    kind: ClassVar[Kind] = Kind.AGENT

    host: str = ""
    working_directory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionUnit(Resource):
    """A script that runs like a control unit.

    Attributes:
        host: name of the agent or unit server that runs it, with its collection.
        implementation: a script's id or a class.
    """

    kind: ClassVar[Kind] = Kind.EXECUTION_UNIT

    host: str = ""
    implementation: str = ""
    desired_state: State = State.UNSPECIFIED
    overrides: tuple[AttributeOverride, ...] = ()
    drivers: tuple[Driver, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable(Resource):
    """A JSON document that programs share under a name."""

    kind: ClassVar[Kind] = Kind.VARIABLE

    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script(Resource):
    """A program text that execution units and operators run."""

    kind: ClassVar[Kind] = Kind.SCRIPT

    language: str = ""
    content: str = ""
    default_argument: str = ""
    group: str = ""
    target: str = ""
    keep_alive: bool = False


@dataclass(frozen=True, slots=True)
class SavedValue:
    """The value of one input, as text."""

    attribute: str
    type: ValueType = ValueType.UNSPECIFIED
    value: str = ""


@dataclass(frozen=True, slots=True)
class SavedUnit:
    """The values of one control unit; it need not be declared any more."""

    control_unit: str
    values: tuple[SavedValue, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Resource):
    """Values of inputs saved under a name.

    Attributes:
        taken_time_us: 0: not known.
        marks: words that people know it by (`golden`), sorted.
    """

    kind: ClassVar[Kind] = Kind.SNAPSHOT

    taken_time_us: int = 0
    units: tuple[SavedUnit, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Resource):
    """A rule about changes of the resources that pass all of its filters that are not empty.

    Attributes:
        kinds: none: all.
        id_prefix: their ids begin with this text.
        template: id; only this template and the control units of it.
        requires_reason: a change without a reason is refused.
    """

    kind: ClassVar[Kind] = Kind.POLICY

    kinds: tuple[Kind, ...] = ()
    id_prefix: str = ""
    template: str = ""
    requires_reason: bool = False
