"""The sections of a facility's file, brought together."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from mds.v1.bundle_pb2 import BundleItem
from mds.v1.dataset_pb2 import Direction
from mds.v1.template_pb2 import Template

from control_units.importers.chaos.agents import read_agents
from control_units.importers.chaos.catalogue import CatalogueClass, read_catalogue
from control_units.importers.chaos.execution_units import StatedProgram, read_execution_units
from control_units.importers.chaos.launches import Launches
from control_units.importers.chaos.origins import Origins
from control_units.importers.chaos.resolved import Inheritance
from control_units.importers.chaos.scripts import read_scripts
from control_units.importers.chaos.seen import Seen
from control_units.importers.chaos.snapshots import read_snapshots
from control_units.importers.chaos.templates import build_template, template_id
from control_units.importers.chaos.unit_servers import StatedServer, read_unit_servers
from control_units.importers.chaos.units import StatedUnit, refuse_output
from control_units.importers.chaos.variables import read_variables, variable
from control_units.importers.findings import Findings
from control_units.importers.ids import fault_of
from control_units.importers.json_text import Value
from control_units.importers.places import member

SECTIONS = ("agents", "us", "eu", "snapshots", "scripts", "variables")

_CATALOGUE = "cu_catalog"


def read_facility(
    document: Mapping[str, Value], findings: Findings, origins: Origins
) -> Iterator[BundleItem]:
    """All that can be taken, in an order in which each thing comes after what it refers to."""
    seen = Seen(findings)
    catalogue = _catalogue(document, findings)
    agents = [
        stated
        for stated in read_agents(document.get("agents"), "agents", findings)
        if stated.is_sound and seen.is_first(stated.agent.name, stated.place)
    ]
    servers, units = read_unit_servers(document.get("us"), "us", seen, findings)
    programs = list(read_execution_units(document.get("eu"), "eu", seen, findings))
    launches = Launches(agents, _nodes(servers, programs), findings)
    classes = _classes(units, catalogue, findings)
    origins.add(units)
    origins.add(program.unit for program in programs)
    templates = {
        class_id: build_template(class_id, classes.get(class_id, []), catalogue.get(class_id))
        for class_id in sorted({*classes, *catalogue})
    }
    scripts = read_scripts(document.get("scripts"), "scripts", findings)
    variables = read_variables(document.get("variables"), "variables", findings)
    others = _other_sections(document, findings)
    snapshots = read_snapshots(document.get("snapshots"), "snapshots", findings)
    hosts = {stated.agent.name for stated in agents} | {s.server.name for s in servers}

    yield from _template_items(templates, classes, catalogue)
    yield from (BundleItem(source=stated.place, agent=stated.agent) for stated in agents)
    yield from (launches.server_item(stated) for stated in servers)
    yield from (i for i in scripts if seen.is_first(i.script.name, i.source))
    yield from _unit_items(templates, classes)
    yield from (launches.program_item(program, hosts) for program in programs)
    yield from (i for i in chain(variables, others) if seen.is_first(i.variable.name, i.source))
    yield from (i for i in snapshots if seen.is_first(i.snapshot.name, i.source))


def _catalogue(document: Mapping[str, Value], findings: Findings) -> dict[str, CatalogueClass]:
    variables = document.get("variables")
    value = variables.get(_CATALOGUE) if isinstance(variables, dict) else None
    return read_catalogue(value, f"variables.{_CATALOGUE}", findings)


def _nodes(servers: Iterable[StatedServer], programs: Iterable[StatedProgram]) -> set[str]:
    names = {stated.server.name for stated in servers} | {p.unit.name for p in programs}
    return {name.partition("/")[2] for name in names}


def _classes(
    units: Iterable[StatedUnit], catalogue: Mapping[str, CatalogueClass], findings: Findings
) -> dict[str, list[StatedUnit]]:
    """The units by the id of their template; those that break a rule of their class are left
    out, with a problem."""
    classes: dict[str, list[StatedUnit]] = {}
    for unit in units:
        class_id = template_id(unit.implementation)
        fault = fault_of(class_id)
        if fault is None:
            classes.setdefault(class_id, []).append(unit)
        else:
            findings.problem(
                unit.implementation_place,
                "an implementation class, like ::driver::powersupply::SCPowerSupplyControlUnit",
                value=unit.implementation,
                name=unit.name,
                field="template",
            )
    return {
        class_id: [u for u in members if not _overrides_output(u, outputs, findings)]
        for class_id, members in classes.items()
        for outputs in (_outputs(members, catalogue.get(class_id)),)
    }


def _outputs(units: Iterable[StatedUnit], known: CatalogueClass | None) -> set[str]:
    """Attributes of a class that the file calls outputs anywhere."""
    stated = [s for unit in units for s in unit.attributes.values()]
    if known is not None:
        stated.extend(known.attributes.values())
    return {s.name for s in stated if s.direction == Direction.DIRECTION_OUTPUT}


def _overrides_output(unit: StatedUnit, outputs: set[str], findings: Findings) -> bool:
    found = False
    for name, stated in unit.attributes.items():
        if name in outputs and stated.facets:
            refuse_output(stated, unit.name, findings)
            found = True
    return found


def _template_items(
    templates: Mapping[str, Template],
    classes: Mapping[str, list[StatedUnit]],
    catalogue: Mapping[str, CatalogueClass],
) -> Iterator[BundleItem]:
    for class_id, template in templates.items():
        known = catalogue.get(class_id)
        source = known.place if known else classes[class_id][0].implementation_place
        yield BundleItem(source=source, template=template)


def _unit_items(
    templates: Mapping[str, Template], classes: Mapping[str, list[StatedUnit]]
) -> Iterator[BundleItem]:
    """Control units in the order of the file, class by class."""
    for class_id, units in classes.items():
        inheritance = Inheritance(templates[class_id])
        yield from (inheritance.control_unit(unit) for unit in units)


def _other_sections(document: Mapping[str, Value], findings: Findings) -> Iterator[BundleItem]:
    """What stands beside the sections is kept whole, as a variable of its name."""
    for name, value in document.items():
        if name in SECTIONS or value is None:
            continue
        place = member("", name)
        fault = fault_of(name)
        if fault is not None:
            findings.problem(place, fault, value=name, reason="INVALID_ID")
        else:
            findings.note(place, "is no section that is known; it is kept as a variable")
            yield variable(name, value, place)
