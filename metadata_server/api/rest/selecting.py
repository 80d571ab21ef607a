"""`fields=`: which part of an answer its reader wants."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor

from metadata_server.api.rest.decoding import expected_among
from metadata_server.api.rest.encoding import Json
from metadata_server.api.rest.parameters import FIELDS, names_of
from metadata_server.api.rest.routes import Route
from metadata_server.domain.refused import Refused, WrongField

Wanted = dict[str, "Wanted"]
"""Names in JSON that are wanted, with what is wanted of each; nothing: all of it."""


def wanted_of(route: Route, text: str) -> Wanted:
    """What `name,labels.section` asks for; of a page's items, where the page has no such field.

    Raises:
        Refused: INVALID_FIELD, naming what is right.
    """
    wanted: Wanted = {}
    if not text:
        return wanted
    for path in filter(None, map(str.strip, text.split(","))):
        names = path.split(".")
        descriptor = route.response
        into = wanted
        if route.items is not None and names[0] not in names_of(descriptor):
            into = wanted.setdefault(route.items.json_name, {})
            assert route.items.message_type is not None
            descriptor = route.items.message_type
        add(into, descriptor, names, path)
    if route.items is not None and wanted:
        # Who leaves these out could not go on.
        wanted |= {"nextPageToken": {}, "position": {}}
    return wanted


def add(into: Wanted, descriptor: Descriptor | None, names: list[str], path: str) -> None:
    for name in names:
        known = names_of(descriptor) if descriptor is not None else {}
        if name not in known:
            right = sorted({field.json_name for field in known.values()})
            expected = expected_among(name, right, "a field of the answer")
            raise Refused.wrong_fields([WrongField(FIELDS, path, expected)])
        field = known[name]
        into = into.setdefault(field.json_name, {})
        descriptor = field.message_type
        if descriptor is not None and descriptor.GetOptions().map_entry:
            return  # the rest names keys, of which all come


def selected(tree: Json, wanted: Wanted) -> Json:
    """What is wanted of a tree."""
    if not wanted:
        return tree
    if isinstance(tree, list):
        return [selected(each, wanted) for each in tree]
    if not isinstance(tree, dict):
        return tree
    return {name: selected(tree[name], part) for name, part in wanted.items() if name in tree}
