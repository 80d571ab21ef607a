"""The same fields of many units: each is kept, set or cleared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mds.v1.dataset_pb2 import DIRECTION_OUTPUT, Attribute
from mds.v1.edit_pb2 import FieldEdit
from mds.v1.parameter_pb2 import Parameter
from mds.v1.template_pb2 import Template

from webui.datasets.dataset import entry_of, range_text
from webui.datasets.declaration import override_path, parameter_path
from webui.translation import _, gettext_noop

KEEP, SET, CLEAR = "keep", "set", "clear"
# Of an attribute, besides its value.
_LIMITS = ("minimum", "maximum", "warning_minimum", "warning_maximum")
# With what is to be known of them.
_PLAIN = {
    "description": "",
    "unit_server": "",
    "level": gettext_noop("low levels are started first, and stopped last"),
    "desired_state": gettext_noop("RUNNING, STOPPED, INITIALIZED, LOADED or UNLOADED"),
    "template_version": gettext_noop("a number; where it means much, move them instead"),
    "requires": gettext_noop("units and groups (RING/MAG/), with commas between them"),
    "after": gettext_noop("units and groups, with commas between them"),
}
# A label whose name is typed, too.
LABEL, _NAMED = "label", "labels[+]"


@dataclass(frozen=True, slots=True)
class BulkField:
    """One field of a bulk edit.

    Attributes:
        hint: type, range and default, where its templates agree on them.
        action: what is chosen.
        text: what is typed.
    """

    path: str
    name: str
    unit: str
    hint: str
    action: str
    text: str


@dataclass(frozen=True, slots=True)
class BulkGroup:
    """Fields that stand together; the first of them always shows.

    Attributes:
        name: what is typed for the name of what they are about; None: it is known.
    """

    title: str
    fields: tuple[BulkField, ...]
    name: str | None = None


def edits_in(texts: Mapping[str, str]) -> list[FieldEdit]:
    """What a form says is to be changed."""
    edits = []
    for name, action in texts.items():
        path = name.removeprefix("do:")
        if path == name or action == KEEP:
            continue
        typed = texts.get(f"to:{path}", "").strip()
        if path == _NAMED:
            path = f"labels[{texts.get(LABEL, '').strip()}]"
        edits.append(FieldEdit(path=path, value=typed) if action == SET else FieldEdit(path=path))
    return edits


def groups_for(templates: Iterable[Template], texts: Mapping[str, str]) -> list[BulkGroup]:
    """What can be changed of units of these templates, as somebody has filled it in."""
    known = list(templates)
    attributes = _by_name(
        [
            each
            for template in known
            for each in template.attributes
            if each.direction != DIRECTION_OUTPUT
        ]
    )
    parameters = _by_name([each for template in known for each in template.parameters])
    plain = tuple(
        replace(_field(path, path.replace("_", " "), texts), hint=_(hint) if hint else "")
        for path, hint in _PLAIN.items()
    )
    label = _field(_NAMED, _("value"), texts)
    return [
        BulkGroup(_("Units"), plain),
        BulkGroup(_("Label"), (label,), name=texts.get(LABEL, "")),
        *(
            BulkGroup(
                name,
                (
                    _field(override_path(name, "default_value"), _("value"), texts, alike),
                    *(
                        _field(override_path(name, facet), facet.replace("_", " "), texts)
                        for facet in _LIMITS
                    ),
                ),
            )
            for name, alike in attributes.items()
        ),
        *(
            BulkGroup(name, (_field(parameter_path(name), _("value"), texts, alike),))
            for name, alike in parameters.items()
        ),
    ]


def _by_name(slots: Sequence[Attribute | Parameter]) -> dict[str, list[Attribute | Parameter]]:
    found: dict[str, list[Attribute | Parameter]] = {}
    for slot in slots:
        found.setdefault(slot.name, []).append(slot)
    return dict(sorted(found.items()))


def _field(
    path: str, name: str, texts: Mapping[str, str], alike: Sequence[Attribute | Parameter] = ()
) -> BulkField:
    units = {each.unit for each in alike}
    hints = {f"{entry_words(each)} {range_text(each)}".strip() for each in alike}
    return BulkField(
        path=path,
        name=name,
        unit="".join(units) if len(units) == 1 else "",
        hint="".join(hints) if len(hints) == 1 else _("differs") if hints else "",
        action=texts.get(f"do:{path}", KEEP),
        text=texts.get(f"to:{path}", ""),
    )


def entry_words(slot: Attribute | Parameter) -> str:
    return {"whole": _("whole number"), "real": _("number"), "choice": _("true or false")}.get(
        entry_of(slot.type), ""
    )
