"""How each kind is listed: its columns, and what programs read of it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mds.v1.control_unit_pb2 import ControlUnit, ControlUnitStatus
from mds.v1.state_pb2 import Contact, Health, State
from mds.v1.unit_server_pb2 import UnitServer, UnitServerStatus

from control_units.cli.kinds import parts
from control_units.cli.output.writing import Shape, plain_of
from control_units.cli.times import shown

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor
    from mds.v1.sighting_pb2 import Sighting
    from mds.v1.template_pb2 import Template

Unit = tuple[ControlUnit, ControlUnitStatus]
Server = tuple[UnitServer, UnitServerStatus]

ELASTIC = ("message", "description", "conditions", "labels", "reason", "what", "classes")


def shape_of(kind: str) -> Shape[Any]:
    """How things of a kind are written, in the form in which `things` reads them."""
    made = _SHAPES.get(kind)
    return made() if made else _declared()


def bare(name: str) -> str:
    return parts(name)[1]


def word(enum: "EnumDescriptor", number: int) -> str:
    """A value as people say it: RUNNING; empty where it is not set."""
    prefix = f"{enum.values_by_number[0].name.removesuffix('UNSPECIFIED')}"
    value = enum.values_by_number.get(number)
    return value.name.removeprefix(prefix) if number and value else ""


def state_word(state: int) -> str:
    return word(State.DESCRIPTOR, state)


def contact_word(contact: int) -> str:
    return word(Contact.DESCRIPTOR, contact)


def health_word(health: int) -> str:
    return word(Health.DESCRIPTOR, health)


def labels_text(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={labels[key]}" for key in sorted(labels))


def _units() -> Shape[Unit]:
    wide = ("health", "since", "version", "level", "labels", "changed", "description")
    headers = (
        "id", "state", "desired", "contact", "unit server", "template", "conditions", "message",
        *wide,
    )  # fmt: skip
    return Shape(headers, _unit_row, wide, ELASTIC, _with_status, _name_of_first)


def _unit_row(thing: Unit) -> tuple[str, ...]:
    unit, status = thing
    return (
        bare(unit.name),
        state_word(status.state),
        state_word(unit.desired_state),
        contact_word(status.contact),
        bare(unit.unit_server),
        bare(unit.template),
        ", ".join(condition.type for condition in status.conditions),
        status.message,
        health_word(status.health),
        shown(status.state_time),
        str(unit.template_version or ""),
        str(unit.level),
        labels_text(unit.labels),
        shown(unit.update_time),
        unit.description,
    )


def _servers() -> Shape[Server]:
    wide = ("version", "address", "changed")
    headers = (
        "id", "contact", "host", "process", "since", "agent", "conditions", "description", *wide,
    )  # fmt: skip
    return Shape(headers, _server_row, wide, ELASTIC, _with_status, _name_of_first)


def _server_row(thing: Server) -> tuple[str, ...]:
    server, status = thing
    return (
        bare(server.name),
        contact_word(status.contact),
        status.host,
        str(status.pid or ""),
        shown(status.start_time),
        bare(server.launch.agent),
        ", ".join(condition.type for condition in status.conditions),
        server.description,
        status.version,
        status.address,
        shown(server.update_time),
    )


def _with_status(thing: Unit | Server) -> dict[str, Any]:
    """As REST has it, with the status beside what is declared."""
    declared, status = thing
    return {**plain_of(declared), **({"status": plain_of(status)} if status.name else {})}


def _name_of_first(thing: Unit | Server) -> str:
    return thing[0].name


def _templates() -> Shape["Template"]:
    from mds.v1.template_pb2 import VersionState

    def row(each: "Template") -> tuple[str, ...]:
        state = word(VersionState.DESCRIPTOR, each.version_state)
        changed = (str(each.revision), shown(each.update_time))
        return (bare(each.name), each.description, str(each.version), state, *changed)

    wide = ("version", "state", "revision", "changed")
    return Shape(("id", "description", *wide), row, wide, ELASTIC)


def _declared() -> Shape[Any]:
    """What all that people declare have."""
    wide = ("revision", "changed")

    def row(each: Any) -> tuple[str, ...]:
        description = getattr(each, "description", "")
        return (bare(each.name), description, str(each.revision), shown(each.update_time))

    return Shape(("id", "description", *wide), row, wide, ELASTIC)


def _operations() -> Shape[Any]:
    from control_units.cli.operations.listing import SHAPE

    return SHAPE


def _change_sets() -> Shape[Any]:
    from control_units.cli.past.change_report import SHAPE

    return SHAPE


def _sightings() -> Shape["Sighting"]:
    def row(each: "Sighting") -> tuple[str, ...]:
        seen = (shown(each.first_time), shown(each.last_time), str(each.count))
        return (bare(each.unit_server), each.host, str(each.pid), *seen, ", ".join(each.classes))

    headers = ("unit server", "host", "process", "first", "last", "times", "classes")
    return Shape(headers, row, (), ELASTIC, name=lambda each: each.unit_server)


_SHAPES: Mapping[str, Callable[[], Shape[Any]]] = {
    "control_units": _units,
    "unit_servers": _servers,
    "templates": _templates,
    "operations": _operations,
    "change_sets": _change_sets,
    "sightings": _sightings,
}

STATUS_OF: Mapping[str, tuple[str, str]] = {
    "control_units": ("control_unit_statuses", "control_unit"),
    "unit_servers": ("unit_server_statuses", "unit_server"),
}
"""What tells how things of a kind are: its collection, and the field that names the thing."""
