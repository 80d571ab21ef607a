"""What the page of one control unit says: its state, what people declared, and its lives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mds.v1 import configuration_pb2, control_unit_pb2, driver_pb2, instantiation_pb2, state_pb2

from webui import vocabulary
from webui.clock import Moment, duration_words, moment
from webui.names import id_of, page_of
from webui.translation import _
from webui.units.rows import UnitRow, unit_row
from webui.vocabulary import Mark

# States of one life that are shown; the newest are kept.
MOST_STATES = 12


@dataclass(frozen=True, slots=True)
class DriverRow:
    name: str
    version: str
    init_parameter: str
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StateStep:
    state: Mark
    time: Moment
    message: str


@dataclass(frozen=True, slots=True)
class Life:
    """One instantiation.

    Attributes:
        lasted: how long, in words; empty while it goes on.
        earlier_states: how many more came before those in `states`.
    """

    begin: Moment
    end: Moment | None
    lasted: str
    end_reason: str
    place: str
    version: str
    fingerprint: str
    states: tuple[StateStep, ...]
    earlier_states: int


@dataclass(frozen=True, slots=True)
class ControlUnitPage:
    """All of it.

    Attributes:
        applied: whether the unit says that it uses this configuration; None: it says nothing.
        reached: whether it has reached what people last declared.
        is_heard: whether somebody counts how long ago it was last heard of.
        attempts: of its unit server to get it out of an error by itself.
        requires, after: ids of units with their pages; groups have none.
    """

    status: UnitRow
    contact: Mark
    desired: str
    description: str
    unit_server: str
    unit_server_name: str
    unit_server_page: str
    template: str
    template_page: str
    implementation: str
    fingerprint: str
    applied: bool | None
    reached: bool
    drivers: tuple[DriverRow, ...]
    has_own_drivers: bool
    labels: tuple[tuple[str, str], ...]
    is_heard: bool
    attempts: int
    next_attempt: Moment | None
    hanging_hook: str
    level: int
    requires: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]
    lives: tuple[Life, ...]


def control_unit_page(
    unit: control_unit_pb2.ControlUnit,
    status: control_unit_pb2.ControlUnitStatus,
    *,
    configuration: configuration_pb2.Configuration,
    lives: Sequence[instantiation_pb2.Instantiation],
    now: datetime,
) -> ControlUnitPage:
    version = configuration.template_version
    template = id_of(configuration.template or unit.template)
    return ControlUnitPage(
        status=unit_row(status, now),
        contact=vocabulary.contact(status.contact),
        desired=vocabulary.desired(unit.desired_state),
        description=unit.description,
        unit_server=id_of(unit.unit_server),
        unit_server_name=unit.unit_server,
        unit_server_page=page_of(unit.unit_server) if unit.unit_server else "",
        template=_("%(template)s, version %(version)s") % {"template": template, "version": version}
        if version
        else template,
        template_page=page_of(configuration.template or unit.template),
        implementation=configuration.implementation,
        fingerprint=configuration.fingerprint,
        applied=status.fingerprint == configuration.fingerprint if status.fingerprint else None,
        reached=status.reached_generation >= unit.generation,
        drivers=tuple(_driver(each) for each in configuration.drivers),
        has_own_drivers=bool(unit.drivers),
        labels=tuple(sorted(unit.labels.items())),
        is_heard=status.contact in (state_pb2.CONTACT_ALIVE, state_pb2.CONTACT_SUSPECT),
        attempts=status.attempts,
        next_attempt=moment(status.next_attempt_time, today=now)
        if status.HasField("next_attempt_time")
        else None,
        hanging_hook=status.hanging_hook,
        level=unit.level,
        requires=_named(unit.requires),
        after=_named(unit.after),
        lives=tuple(_life(life, now) for life in lives),
    )


def _driver(driver: driver_pb2.Driver) -> DriverRow:
    properties = tuple(sorted(driver.properties.items()))
    return DriverRow(driver.name, driver.version, driver.init_parameter, properties)


def _named(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((id_of(name), "" if name.endswith("/") else page_of(name)) for name in names)


def _life(life: instantiation_pb2.Instantiation, now: datetime) -> Life:
    end: Moment | None = None
    lasted = ""
    if life.HasField("end_time"):
        end = moment(life.end_time, today=now)
        begun = life.begin_time.ToDatetime(tzinfo=UTC)
        lasted = duration_words((life.end_time.ToDatetime(tzinfo=UTC) - begun).total_seconds())
    shown = life.states[-MOST_STATES:]
    return Life(
        begin=moment(life.begin_time, today=now),
        end=end,
        lasted=lasted,
        end_reason=vocabulary.end_reason(life.end_reason),
        place=f"{life.host}, pid {life.pid}" if life.host else "",
        version=life.version,
        fingerprint=life.fingerprint,
        states=tuple(
            StateStep(vocabulary.state(s.state), moment(s.time, today=now), s.message)
            for s in reversed(shown)
        ),
        earlier_states=len(life.states) - len(shown),
    )
