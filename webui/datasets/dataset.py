"""The dataset of a unit as a table: each value in effect, and where it comes from."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mds.v1 import (
    configuration_pb2,
    dataset_pb2,
    explanation_pb2,
    parameter_pb2,
    template_pb2,
)

from webui import vocabulary
from webui.clock import Moment, moment
from webui.datasets.declaration import FACETS, override_path, parameter_path
from webui.names import id_of, page_of
from webui.translation import _

_OWN = explanation_pb2.LAYER_OVERRIDE
_SETTABLE = (dataset_pb2.DIRECTION_INPUT, dataset_pb2.DIRECTION_BIDIRECTIONAL)
_WHOLE = frozenset(range(dataset_pb2.VALUE_TYPE_INT8, dataset_pb2.VALUE_TYPE_UINT64 + 1))
_REAL = frozenset({dataset_pb2.VALUE_TYPE_FLOAT, dataset_pb2.VALUE_TYPE_DOUBLE})
_LONG = frozenset({dataset_pb2.VALUE_TYPE_JSON, dataset_pb2.VALUE_TYPE_BYTES})

# Of what nobody has said, no time is told.
_NO_DAY = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who put a value there.

    Attributes:
        layer: in words: `template, version 3`.
        page: of the resource that says it; empty: it has none.
    """

    layer: str
    page: str
    author: str
    time: Moment | None
    reason: str


@dataclass(frozen=True, slots=True)
class Value:
    """One value that a unit uses.

    Attributes:
        path: of the unit's own field for it.
        own: what the unit itself says; None: nothing.
        beneath: what it uses when it says nothing itself; empty: nothing.
        origin: None: nothing says anything of it.
    """

    path: str
    text: str
    own: str | None
    beneath: str
    origin: Origin | None

    @property
    def is_own(self) -> bool:
        return self.own is not None


@dataclass(frozen=True, slots=True)
class Row:
    """An attribute or a parameter.

    Attributes:
        entry: how it is typed in: `choice`, `whole`, `real`, `text` or `long`.
        facets: what else is said of it, by name.
    """

    name: str
    description: str
    direction: str
    type: str
    unit: str
    entry: str
    can_be_set: bool
    value: Value
    range: str
    facets: Mapping[str, Value]

    @property
    def own_facets(self) -> list[tuple[str, Value]]:
        return [(name, value) for name, value in self.facets.items() if value.is_own]


@dataclass(frozen=True, slots=True)
class Dataset:
    attributes: tuple[Row, ...]
    parameters: tuple[Row, ...]


def dataset_of(
    configuration: configuration_pb2.Configuration,
    explanation: explanation_pb2.Explanation,
    template: template_pb2.Template,
    today: datetime,
) -> Dataset:
    """Attributes that can be set stand first, then those that the template has, in its order."""
    told = {each.path: each for each in explanation.values}
    rows = [_attribute(each, told, today) for each in configuration.attributes]
    places = {each.name: place for place, each in enumerate(template.attributes)}
    last = len(places)
    return Dataset(
        attributes=tuple(
            sorted(rows, key=lambda row: (not row.can_be_set, places.get(row.name, last)))
        ),
        parameters=tuple(_parameter(each, told, today) for each in template.parameters),
    )


def dataset_of_template(template: template_pb2.Template, today: datetime) -> Dataset:
    """What a unit of a template would have that says nothing itself and never ran."""
    values = [
        (f"attributes[{each.name}].{facet}", getattr(each, facet))
        for each in template.attributes
        for facet in FACETS
    ]
    values += [(parameter_path(each.name), each.default_value) for each in template.parameters]
    explanation = explanation_pb2.Explanation()
    for path, value in values:
        if value:
            explained = explanation.values.add(path=path, value=value)
            explained.layers.add(
                layer=explanation_pb2.LAYER_TEMPLATE,
                value=value,
                source=template.name,
                version=template.version,
            )
    configuration = configuration_pb2.Configuration(attributes=template.attributes)
    return dataset_of(configuration, explanation, template, today)


def with_strangers(dataset: Dataset, fields: Mapping[str, str]) -> Dataset:
    """And what is said of attributes and parameters that are not there: it can be taken back."""
    named = {
        kind: [each.name for each in rows]
        for kind, rows in (("overrides", dataset.attributes), ("parameters", dataset.parameters))
    }
    strange: dict[str, list[str]] = {kind: [] for kind in named}
    for path, text in fields.items():
        kind, sign, rest = path.partition("[")
        name = rest.rpartition("]")[0]
        if text and sign and kind in named and name not in (*named[kind], *strange[kind]):
            strange[kind].append(name)
    return Dataset(
        attributes=(*dataset.attributes, *map(_strange_attribute, strange["overrides"])),
        parameters=(*dataset.parameters, *map(_strange_parameter, strange["parameters"])),
    )


def _strange_attribute(name: str) -> Row:
    return _attribute(
        dataset_pb2.Attribute(name=name, description=_("not in its template")), {}, _NO_DAY
    )


def _strange_parameter(name: str) -> Row:
    return _parameter(
        parameter_pb2.Parameter(name=name, description=_("not in its template")), {}, _NO_DAY
    )


def _attribute(
    attribute: dataset_pb2.Attribute,
    told: Mapping[str, explanation_pb2.ExplainedValue],
    today: datetime,
) -> Row:
    values = {
        facet: _value(
            told.get(f"attributes[{attribute.name}].{facet}"),
            override_path(attribute.name, facet),
            today,
        )
        for facet in FACETS
    }
    sizes = " × ".join(str(size) if size else _("any") for size in attribute.shape)
    kind = vocabulary.value_type(attribute.type)
    return Row(
        name=attribute.name,
        description=attribute.description,
        direction=vocabulary.direction(attribute.direction),
        type=f"{kind} [{sizes}]" if sizes else kind,
        unit=attribute.unit,
        entry="long" if attribute.shape else entry_of(attribute.type),
        can_be_set=attribute.direction in _SETTABLE or not attribute.direction,
        value=values.pop("default_value"),
        range=range_text(attribute),
        facets=values,
    )


def _parameter(
    parameter: parameter_pb2.Parameter,
    told: Mapping[str, explanation_pb2.ExplainedValue],
    today: datetime,
) -> Row:
    path = parameter_path(parameter.name)
    return Row(
        name=parameter.name,
        description=parameter.description,
        direction="",
        type=vocabulary.value_type(parameter.type),
        unit=parameter.unit,
        entry=entry_of(parameter.type),
        can_be_set=True,
        value=_value(told.get(path), path, today),
        range=range_text(parameter),
        facets={},
    )


def entry_of(type_: int) -> str:
    """How a value of this type is typed in."""
    if type_ == dataset_pb2.VALUE_TYPE_BOOL:
        return "choice"
    if type_ in _LONG:
        return "long"
    return "whole" if type_ in _WHOLE else "real" if type_ in _REAL else "text"


def range_text(limited: dataset_pb2.Attribute | parameter_pb2.Parameter) -> str:
    """`0 … 45`; empty: anything."""
    if not (limited.minimum or limited.maximum):
        return ""
    return f"{limited.minimum or '−∞'} … {limited.maximum or '∞'}"


def _value(told: explanation_pb2.ExplainedValue | None, path: str, today: datetime) -> Value:
    if told is None:
        return Value(path=path, text="", own=None, beneath="", origin=None)
    own = [layer.value for layer in told.layers if layer.layer == _OWN]
    beneath = [layer.value for layer in told.layers if layer.layer != _OWN]
    return Value(
        path=path,
        text=told.value,
        own=own[-1] if own else None,
        beneath="".join(beneath[-1:]),
        origin=_origin(told.layers, today),
    )


def _origin(layers: Iterable[explanation_pb2.LayerValue], today: datetime) -> Origin | None:
    for layer in reversed(list(layers)):
        return Origin(
            layer=_layer_words(layer),
            page=page_of(layer.source) if re.match("templates/", layer.source) else "",
            author=layer.author,
            time=moment(layer.time, today=today) if layer.HasField("time") else None,
            reason=layer.reason,
        )
    return None


def _layer_words(layer: explanation_pb2.LayerValue) -> str:
    if layer.layer == explanation_pb2.LAYER_PUBLISHED_DATASET:
        return _("its code")
    if layer.layer == _OWN:
        return _("this unit")
    return _("%(template)s, version %(version)s") % {
        "template": id_of(layer.source),
        "version": layer.version,
    }
