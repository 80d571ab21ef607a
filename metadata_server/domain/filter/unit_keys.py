"""Keys of control units: what people declare, and what the unit reports. The two are two
resources; a filter of either may ask for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from metadata_server.domain.filter.common_keys import (
    Reader,
    common_keys,
    flag,
    known,
    number,
    text,
    time,
    word,
)
from metadata_server.domain.filter.key import Fact, Facts, FilterKey, ValueKind
from metadata_server.domain.filter.subject import UnitSubject
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.life.condition import (
    IN_MAINTENANCE,
    KEEPS_DYING,
    OUT_OF_DATE,
    TYPES,
    ConditionStatus,
)
from metadata_server.domain.life.state import DESIRABLE, Contact, Health, State

PRESENT_CONDITIONS = (IN_MAINTENANCE, KEEPS_DYING, OUT_OF_DATE)
"""Those that no image of a status holds."""
HOLDS_SINCE = "holds_since"


def declared(subject: UnitSubject) -> ControlUnit:
    assert subject.declared is not None, "its declaration was not asked for"
    return subject.declared


def status(subject: UnitSubject) -> ControlUnitStatus:
    assert subject.status is not None, "its status was not asked for"
    return subject.status


def of_declared(read: Callable[[ControlUnit], Facts]) -> Reader:
    return lambda subject: read(declared(subject))


def of_status(read: Callable[[ControlUnitStatus], Facts]) -> Reader:
    return lambda subject: read(status(subject))


def place_of(unit: ControlUnit) -> Iterable[Fact]:
    """The groups of an id, if it has any."""
    place, slash, _ = unit.id.rpartition("/")
    return (place,) if slash else ()


def holding(status: ControlUnitStatus) -> Iterable[Fact]:
    return (each.type for each in status.conditions if each.status is ConditionStatus.TRUE)


def first_since(status: ControlUnitStatus) -> Facts:
    """When the first of its conditions began to hold, where that is known."""
    times = [each.since_us for each in status.conditions if each.since_us]
    return known(min(times, default=0))


def declared_keys(**more: Any) -> tuple[FilterKey, ...]:
    """What people declare of a unit."""
    indexed = {"is_indexed": True, **more}
    return (
        *common_keys(declared, **more),
        FilterKey(name="zone", kind=ValueKind.PLACE, meaning="the groups at the beginning of its id", example="zone=DAFNE/PL", of=of_declared(place_of), is_sortable=True, **indexed),
        text("template", "id of its template", "template:PowerSupply*", of_declared(lambda u: (u.template,)), is_sortable=True, is_reference=True, **indexed),
        number("template_version", "version of its template", "template_version<3", of_declared(lambda u: (u.template_version,)), **more),
        text("unit_server", "id of the unit server that it is declared for", "unit_server=BTF/CORRECTORS", of_declared(lambda u: (u.unit_server,)), is_sortable=True, is_reference=True, **indexed),
        word("desired", "what people want it to be", "desired=RUNNING", sorted(DESIRABLE), of_declared(lambda u: (u.desired_state,)), **more),
        number("level", "where its turn is in an operation", "level>=2", of_declared(lambda u: (u.level,)), **more),
        number("overrides", "how many attributes it overrides", "overrides>3", of_declared(lambda u: (len(u.overrides),)), **more),
        text("override", "names of the attributes that it overrides", "override:current", of_declared(lambda u: [each.attribute for each in u.overrides]), is_many=True, **more),
        text("driver", "names of the drivers that it names itself", "driver:Modbus*", of_declared(lambda u: [each.name for each in u.drivers]), is_many=True, **more),
        text("parameter", "the parameters that it sets; `parameter.NAME` is the value of one", "parameter.ramp=slow", of_declared(lambda u: u.parameters), is_many=True, has_names=True, **more),
        text("requires", "units and groups that must run before it is started", "requires:RING/MAG/", of_declared(lambda u: u.requires), is_many=True, **more),
        text("after", "units and groups that it is started after", "after:RING/VAC/", of_declared(lambda u: u.after), is_many=True, **more),
    )  # fmt: skip


def reported_keys(**more: Any) -> tuple[FilterKey, ...]:
    """What a unit reported, and what the server makes of it."""
    verdict = {**more, "is_past": False, "is_watched": False}
    return (
        word("state", "what it last reported to be; UNSPECIFIED: nothing", "state=RUNNING", State, of_status(lambda s: (s.state,)), is_indexed=True, is_sortable=True, **more),
        time("since", "when it came to be in that state", "since<10m", of_status(lambda s: known(s.state_time_us)), is_indexed=True, is_sortable=True, **more),
        text("message", "why, in the unit's words", "message:timeout", of_status(lambda s: (s.message,)), **more),
        flag("unfenced", "it started from its copy on disk, and no server has confirmed it", "unfenced", of_status(lambda s: (s.unfenced,)), **more),
        number("reached_generation", "generation of its declaration that it has reached", "reached_generation<2", of_status(lambda s: (s.reached_generation,)), **more),
        word("condition", "what else holds of it", "condition:ConfigDrift", TYPES, of_status(holding), is_many=True, present_words=PRESENT_CONDITIONS, is_indexed=True, **more),
        time(HOLDS_SINCE, "when the first of its conditions began to hold", "holds_since>1d", of_status(first_since), is_sortable=True, **verdict),
        word("contact", "contact of the session that hosts it", "contact=LOST", Contact, lambda s: (s.contact,), **verdict),
        word("health", "the verdict", "health=BAD,WARNING", Health, lambda s: (s.health,), **verdict),
        flag("maintenance", "it is in maintenance", "-maintenance", of_status(lambda s: (any(each.type == IN_MAINTENANCE for each in s.conditions),)), **verdict),
    )  # fmt: skip
