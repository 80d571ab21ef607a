"""Why control units shall use what they shall use, and what they would use as planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from metadata_server.domain.change import Position
from metadata_server.domain.checks import control_unit_faults
from metadata_server.domain.intent.attribute import Attribute
from metadata_server.domain.intent.configuration import Configuration, effective
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.explanation import (
    ExplainedValue,
    Explanation,
    Layer,
    LayerValue,
    Origin,
    explained,
    said_by_unit,
    with_plan,
)
from metadata_server.domain.intent.template import Template
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.resource import Resource
from metadata_server.services.life.statuses import template_at
from metadata_server.store.intent.authorship import UNKNOWN, Authorship, authorships
from metadata_server.store.life.datasets import Dataset, datasets_of
from metadata_server.store.past.first_said import first_said
from metadata_server.store.past.moments import position_at
from metadata_server.store.past.past import resource_at
from metadata_server.store.past.past_statuses import statuses_at
from metadata_server.store.store import Answer, Store, told_at
from metadata_server.store.unit_of_work import UnitOfWork

KINDS = frozenset({Kind.CONTROL_UNIT, Kind.CONTROL_UNIT_STATUS})


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained; see ExplainConfigurationRequest.

    Attributes:
        template_version: 0: the one that the unit is on.
        planned: instead of what the unit declares; None: just that.
    """

    id: str
    as_of: str = ""
    template_version: int = 0
    planned: ControlUnit | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a configuration is merged from.

    Attributes:
        dataset: None: nothing was published by then.
        reported: fingerprint that the unit last reported.
    """

    declared: ControlUnit
    template: Template
    dataset: Dataset | None
    reported: str

    @property
    def published(self) -> Sequence[Attribute] | None:
        return self.dataset.attributes if self.dataset else None


class Explanations:
    """Explains configurations."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def explain(self, asked: Asked) -> Answer[Explanation]:
        """What a control unit shall use, with the layers of each value.

        Raises:
            Refused: CONTROL_UNIT_NOT_FOUND, INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED;
                TEMPLATE_NOT_FOUND for a planned version that is not there; what the planned
                declaration breaks.
        """

        def work(unit: UnitOfWork) -> tuple[Explanation, Position]:
            position = position_at(unit, moment_of(asked.as_of), KINDS)
            facts = facts_at(unit, asked.id, position)
            configuration = effective(facts.published, facts.template, facts.declared)
            explanation = Explanation(
                id=asked.id,
                template=configuration.template,
                template_version=configuration.template_version,
                fingerprint=configuration.fingerprint,
                reported=facts.reported,
                values=explained_with_origins(unit, configuration, facts, position.revision),
            )
            if asked.planned is not None or asked.template_version:
                explanation = planned_beside(unit, explanation, facts, asked)
            return explanation, position

        return told_at(await self._store.read(work))


def facts_at(unit: UnitOfWork, id: str, position: Position) -> Facts:
    declared = resource_at(unit, ControlUnit, id, position)
    template = template_at(unit, declared, position)
    (status,) = statuses_at(unit, {id: declared.meta.key}, position.revision)
    dataset = datasets_of(unit, [status.dataset]).get(status.dataset)
    return Facts(declared, template, dataset, status.fingerprint)


def explained_with_origins(
    unit: UnitOfWork, configuration: Configuration, facts: Facts, revision: int
) -> tuple[ExplainedValue, ...]:
    """All values of a configuration, with who put them there."""
    declared, template = facts.declared, facts.template
    values = explained(configuration, facts.published, template, declared)
    overridden = {
        value.path: layer.value
        for value in values
        for layer in value.layers
        if layer.layer is Layer.OVERRIDE
    }
    since = first_said(unit, declared.meta.key, revision, overridden, said=said_by)
    authors = authorships(unit, {template.meta.revision, *since.values()})
    shared = shared_origins(facts, authors.get(template.meta.revision, UNKNOWN))

    def told(layer: LayerValue, path: str) -> LayerValue:
        origin = shared.get(layer.layer)
        if layer.layer is Layer.OVERRIDE:
            at = since[path]
            origin = origin_of(declared.name, at, authors.get(at, UNKNOWN))
        return replace(layer, origin=origin)

    return tuple(
        replace(value, layers=tuple(told(layer, value.path) for layer in value.layers))
        for value in values
    )


def shared_origins(facts: Facts, published: Authorship) -> dict[Layer, Origin]:
    """Who put there what all units of a template and a dataset share.

    Args:
        published: of the version of the template.
    """
    template, dataset = facts.template, facts.dataset
    origin = origin_of(template.name, template.meta.revision, published)
    found = {Layer.TEMPLATE: replace(origin, version=template.version)}
    if dataset is not None:
        found[Layer.PUBLISHED_DATASET] = Origin(
            source=f"datasets/{dataset.hash}", time_us=dataset.create_time_us
        )
    return found


def said_by(resource: Resource) -> Mapping[str, str]:
    assert isinstance(resource, ControlUnit), resource.kind
    return said_by_unit(resource)


def origin_of(source: str, revision: int, authorship: Authorship) -> Origin:
    return Origin(
        source=source,
        revision=revision,
        time_us=authorship.time_us,
        author=authorship.author,
        reason=authorship.reason,
    )


def planned_beside(
    unit: UnitOfWork, explanation: Explanation, facts: Facts, asked: Asked
) -> Explanation:
    """An explanation with what each value would be as planned.

    Raises:
        Refused: TEMPLATE_NOT_FOUND; what the planned declaration breaks.
    """
    wanted = asked.planned or facts.declared
    template = planned_template(unit, wanted, facts, asked)
    planned = replace(wanted, template_version=template.version)
    if asked.planned is not None:
        faults = control_unit_faults(planned, template, facts.published)
        if faults:
            raise Refused.wrong_fields(faults)
    configuration = effective(facts.published, template, planned)
    return replace(
        explanation,
        planned=configuration.fingerprint,
        values=with_plan(explanation.values, configuration, template),
    )


def planned_template(unit: UnitOfWork, wanted: ControlUnit, facts: Facts, asked: Asked) -> Template:
    """The version of a template that a plan is about; a draft may be, to see what it would do."""
    head = unit.resources.get(Template, wanted.template)
    version = asked.template_version or wanted.template_version or head.published_version
    pair = (head.meta.key, version)
    if pair == (facts.template.meta.key, facts.template.version):
        return facts.template
    found = unit.resources.versions([pair])
    if pair not in found:
        expected = f"a version of {head.name}, the newest being {head.version}"
        raise Refused.wrong_fields(
            [WrongField("template_version", str(version), expected, Kind.TEMPLATE.not_found)]
        )
    return found[pair]
