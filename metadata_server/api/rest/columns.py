"""A kind of resource as columns: what stands within another field is `outer.inner`; lists and
maps are one cell."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from metadata_server.api.rest.encoding import Json, encoded
from metadata_server.api.rest.selecting import Wanted

DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        names: of the fields on the way to it, as in JSON.
    """

    names: tuple[str, ...]
    field: FieldDescriptor

    @property
    def title(self) -> str:
        return ".".join(self.names)

    def value(self, tree: Json) -> Json:
        """What a resource has there; None: nothing."""
        for name in self.names:
            if not isinstance(tree, dict):
                return None
            tree = tree.get(name)
        return tree


def columns_of(
    descriptor: Descriptor, wanted: Wanted | None = None, outer: tuple[str, ...] = ()
) -> list[Column]:
    """All columns, in the order of the protocol.

    Args:
        wanted: only these; nothing: all.
    """
    found: list[Column] = []
    for field in descriptor.fields:
        if wanted and field.json_name not in wanted:
            continue
        names = (*outer, field.json_name)
        inner = field.message_type
        is_flat = (
            inner is None
            or field.is_repeated
            or inner.full_name.startswith("google.")
            or len(names) >= DEEPEST
        )
        if is_flat or inner is None:
            found.append(Column(names, field))
        else:
            found += columns_of(inner, wanted[field.json_name] if wanted else None, names)
    return found


def cell(value: Json) -> str:
    """A value as text; lists and maps as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return encoded(value).decode()
    return str(value)
