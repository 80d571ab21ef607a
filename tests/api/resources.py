"""Any declared resource, as hypothesis makes them: content in the order in which it is kept."""

from typing import Any

from hypothesis import strategies as st

from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.attribute import (
    FACETS,
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
    Parameter,
    ValueType,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import (
    Agent,
    ExecutionUnit,
    Policy,
    SavedUnit,
    SavedValue,
    Script,
    Snapshot,
    Variable,
)
from metadata_server.domain.intent.template import (
    Command,
    Relation,
    Requirement,
    Template,
    VersionState,
)
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.orchestration.campaign import Campaign
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.resource import Meta, Resource
from metadata_server.domain.watch import View

TEXT = st.text(max_size=5)
NUMBER = st.integers(0, 2**31 - 1)
BIG = st.integers(0, 2**62)
TIME_US = st.integers(0, 4_000_000_000_000_000)
IDS = st.from_regex(r"[A-Za-z0-9_:+-]{1,4}(/[A-Za-z0-9_:+-]{1,3}){0,2}", fullmatch=True)
TEXTS = st.dictionaries(TEXT, TEXT, max_size=2)
FACET_TEXTS = st.dictionaries(st.sampled_from(FACETS), TEXT, max_size=3)
PARAMETER_FACETS = st.dictionaries(
    st.sampled_from(["unit", "default_value", "minimum", "maximum"]), TEXT, max_size=3
)
TYPES = st.sampled_from(list(ValueType))
STATES = st.sampled_from(list(State))


def some(strategy: st.SearchStrategy[Any], *, by: str = "") -> st.SearchStrategy[Any]:
    """A tuple of up to three, sorted by a field where they are kept so."""
    found = st.lists(strategy, max_size=3)
    if by:
        return found.map(lambda items: tuple(sorted(items, key=lambda item: getattr(item, by))))
    return found.map(tuple)


ATTRIBUTES = some(
    st.builds(
        Attribute,
        TEXT,
        st.sampled_from(list(Direction)),
        TYPES,
        some(st.integers(0, 2**32 - 1)),
        TEXT,
        FACET_TEXTS,
        st.integers(0, 2**32 - 1),
        TEXT,
    ),
    by="name",
)
OVERRIDES = some(st.builds(AttributeOverride, TEXT, FACET_TEXTS), by="attribute")
DRIVERS = some(st.builds(Driver, TEXT, TEXT, TEXT, TEXTS))
DEPENDENCIES = st.lists(IDS | IDS.map("{}/".format), max_size=3).map(tuple)
PARAMETERS = some(st.builds(Parameter, TEXT, TYPES, TEXT, PARAMETER_FACETS, st.booleans()))
COMMANDS = some(st.builds(Command, TEXT, TEXT, PARAMETERS))
LAUNCHES = st.builds(
    Launch,
    agent=IDS | st.just(""),
    command=TEXT,
    configuration=TEXT,
    working_directory=TEXT,
    environment=TEXTS,
    auto_start=st.booleans(),
    keep_alive=st.booleans(),
    log_on_console=st.booleans(),
)
SAVED_UNITS = some(
    st.builds(
        SavedUnit, TEXT, some(st.builds(SavedValue, TEXT, TYPES, TEXT), by="attribute"), TEXTS
    ),
    by="control_unit",
)
ALL_HAVE: dict[str, Any] = {
    "id": IDS,
    "description": TEXT,
    "labels": TEXTS,
    "properties": TEXTS,
    "meta": st.builds(
        Meta,
        generation=BIG,
        revision=BIG,
        create_time_us=TIME_US,
        update_time_us=TIME_US,
    ),
}

REQUIREMENTS = some(st.builds(Requirement, TEXT, st.sampled_from(list(Relation)), TEXT, TEXT))
SOME_WORDS = st.sets(TEXT, max_size=3).map(lambda words: tuple(sorted(words)))
SOME_IDS = st.sets(IDS.filter(bool), max_size=3).map(lambda ids: tuple(sorted(ids)))

BY_KIND: dict[Kind, st.SearchStrategy[Resource]] = {
    Template.kind: st.builds(
        Template,
        **ALL_HAVE,
        version=NUMBER,
        version_state=st.sampled_from(list(VersionState)),
        implementation=TEXT,
        group=TEXT,
        interface=TEXT,
        drivers=DRIVERS,
        alternative_drivers=DRIVERS,
        parameters=PARAMETERS,
        attributes=ATTRIBUTES,
        commands=COMMANDS,
        requirements=REQUIREMENTS,
    ),
    ControlUnit.kind: st.builds(
        ControlUnit,
        **ALL_HAVE,
        template=IDS,
        template_version=NUMBER,
        unit_server=IDS | st.just(""),
        desired_state=STATES,
        recover_count=BIG,
        overrides=OVERRIDES,
        drivers=DRIVERS,
        parameters=TEXTS,
        level=st.integers(-(2**31), 2**31 - 1),
        requires=DEPENDENCIES,
        after=DEPENDENCIES,
    ),
    UnitServer.kind: st.builds(UnitServer, **ALL_HAVE, launch=st.none() | LAUNCHES),
    Agent.kind: st.builds(Agent, **ALL_HAVE, host=TEXT, working_directory=TEXT),
    ExecutionUnit.kind: st.builds(
        ExecutionUnit,
        **ALL_HAVE,
        host=TEXT,
        implementation=TEXT,
        desired_state=STATES,
        overrides=OVERRIDES,
        drivers=DRIVERS,
        parameters=TEXTS,
    ),
    Variable.kind: st.builds(Variable, **ALL_HAVE, value=TEXT),
    Script.kind: st.builds(
        Script,
        **ALL_HAVE,
        language=TEXT,
        content=TEXT,
        default_argument=TEXT,
        group=TEXT,
        target=TEXT,
        keep_alive=st.booleans(),
    ),
    Snapshot.kind: st.builds(
        Snapshot,
        **ALL_HAVE,
        taken_time_us=TIME_US,
        units=SAVED_UNITS,
        marks=st.sets(TEXT, max_size=3).map(lambda marks: tuple(sorted(marks))),
    ),
    Policy.kind: st.builds(
        Policy,
        **ALL_HAVE,
        kinds=st.sets(st.sampled_from(DECLARED)).map(lambda kinds: tuple(sorted(kinds))),
        id_prefix=TEXT,
        template=IDS,
        requires_reason=st.booleans(),
    ),
    Maintenance.kind: st.builds(
        Maintenance,
        **ALL_HAVE,
        control_units=SOME_IDS,
        unit_servers=SOME_IDS,
        id_prefixes=SOME_IDS,
        begin_time_us=TIME_US,
        end_time_us=TIME_US,
    ),
    MachineMode.kind: st.builds(MachineMode, **ALL_HAVE, mode=TEXT, modes=SOME_WORDS),
    Guard.kind: st.builds(
        Guard,
        **ALL_HAVE,
        machine_mode=IDS,
        modes=SOME_WORDS,
        forbids=st.sets(st.sampled_from(list(GuardedChange))).map(lambda f: tuple(sorted(f))),
        control_units=SOME_IDS,
        id_prefixes=SOME_IDS,
        unit_servers=SOME_IDS,
        templates=SOME_IDS,
        unit_labels=TEXTS,
        unit_filter=TEXT,
    ),
    Campaign.kind: st.builds(
        Campaign,
        **ALL_HAVE,
        target_units=st.integers(0, 2**31 - 1),
        due_time_us=TIME_US,
        closed=st.booleans(),
    ),
    Webhook.kind: st.builds(
        Webhook,
        **ALL_HAVE,
        url=TEXT,
        filter=TEXT,
        kinds=st.sets(st.sampled_from(list(Kind))).map(lambda kinds: tuple(sorted(kinds))),
        id_prefix=TEXT,
        view=st.sampled_from(list(View)),
        enabled=st.booleans(),
    ),
    UnitList.kind: st.builds(
        UnitList,
        **ALL_HAVE,
        control_units=SOME_IDS,
        id_prefixes=SOME_IDS,
        unit_labels=TEXTS,
        unit_filter=TEXT,
    ),
}

RESOURCES = st.one_of(*BY_KIND.values())
PAIRS = st.sampled_from(sorted(BY_KIND)).flatmap(
    lambda kind: st.tuples(BY_KIND[kind], BY_KIND[kind])
)
"""Two resources of one kind."""
