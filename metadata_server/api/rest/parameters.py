"""What stands in a query: fields of the request, and a few words that every route knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from mds.v1 import position_pb2

from metadata_server.api.rest.decoding import expected_among, expected_of, message_of
from metadata_server.api.rest.encoding import Json
from metadata_server.api.rest.routes import Route
from metadata_server.domain.refused import Refused, WrongField

DRY_RUN, FIELDS, FORMAT, MINIMUM = "dryRun", "fields", "format", "minRevision"
LAST_EVENT = "lastEventId"
SHARED = (FIELDS, MINIMUM)
"""Known on every route."""
NAMED_ANYWAY = ("validate_only", "reason", "request_id")
"""Fields that a query may set even where the body is the whole request."""
TRUTH = {"true": True, "1": True, "false": False, "0": False}
POSITION = position_pb2.Position.DESCRIPTOR.full_name


@dataclass(slots=True)
class Query:
    """What a query says.

    Attributes:
        tree: fields of the request, as JSON has them.
        shared: words that are no fields, by name.
    """

    tree: dict[str, Json] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)

    def message(self, route: Route) -> Message:
        return message_of(route.head, self.tree)


def pairs_of(raw: str) -> list[tuple[str, str]]:
    """Names and values of a raw query, in their order.

    Raises:
        Refused: INVALID_FIELD, for what is not UTF-8.
    """
    found = []
    for part in filter(None, raw.split("&")):
        name, _, value = part.partition("=")
        found.append((text_of(name), text_of(value, name)))
    return found


def text_of(raw: str, name: str = "") -> str:
    try:
        return unquote_to_bytes(raw.replace("+", " ")).decode()
    except UnicodeDecodeError:
        wrong = WrongField(name or raw[:80], raw[:80], "UTF-8 text, percent-encoded")
        raise Refused.wrong_fields([wrong]) from None


def minimum_in(raw: str) -> str:
    """Which revision the caller has seen, as a query says; empty: it does not."""
    if MINIMUM not in raw:
        return ""
    return next((value for name, value in pairs_of(raw) if name == MINIMUM), "")


def query_of(route: Route, raw: str) -> Query:
    """
    Raises:
        Refused: INVALID_FIELD, with all that is wrong.
    """
    query = Query()
    if not raw:
        return query
    fields = {name: each for each in parameters(route) for name in (each.name, each.json_name)}
    words = words_of(route)
    wrong: list[WrongField] = []
    for name, value in pairs_of(raw):
        if name in words:
            query.shared[name] = value
            continue
        try:
            set_parameter(query.tree, fields, name, value)
        except Refused as refused:
            wrong += refused.fields
        except KeyError:
            known = sorted({each.json_name for each in fields.values()} | words)
            expected = expected_among(name, known, "a parameter of this path")
            wrong.append(WrongField(name, value, expected))
    if wrong:
        raise Refused.wrong_fields(wrong)
    if (text := query.shared.pop(DRY_RUN, None)) is not None:
        query.tree["validateOnly"] = truth_of(DRY_RUN, text)
    return query


def parameters(route: Route) -> list[FieldDescriptor]:
    """The fields that a query may set."""
    if route.takes_stream:
        return list(route.head.fields)
    found = list(route.parameters())
    if route.body == "*":
        named = map(route.request.fields_by_name.get, NAMED_ANYWAY)
        found += [each for each in named if each is not None]
    return found


def words_of(route: Route) -> set[str]:
    """Words of a route's query that are no fields of its request."""
    words = set(SHARED)
    if "validate_only" in route.head.fields_by_name:
        words.add(DRY_RUN)
    if route.items is not None:
        words.add(FORMAT)
    if resumes(route):
        words.add(LAST_EVENT)
    return words


def resumes(route: Route) -> bool:
    """Whether a stream can go on after a position that its reader has seen."""
    return route.is_stream and is_position(route.request.fields_by_name.get("position"))


def is_position(field: FieldDescriptor | None) -> bool:
    return (
        field is not None
        and field.message_type is not None
        and field.message_type.full_name == POSITION
    )


def set_parameter(
    tree: dict[str, Json], fields: dict[str, FieldDescriptor], name: str, value: str
) -> None:
    """Sets a field, or one within it (`selection.idPrefix`).

    Raises:
        KeyError: there is no such field.
        Refused: INVALID_FIELD.
    """
    head, dot, rest = name.partition(".")
    field = fields[head]
    if dot:
        if field.message_type is None or field.is_repeated:
            raise KeyError(name)
        inner = tree.setdefault(field.json_name, {})
        if not isinstance(inner, dict):
            raise KeyError(name)
        set_parameter(inner, names_of(field.message_type), rest, value)
        return
    found = parameter_value(field, name, value)
    if field.is_repeated:
        tree.setdefault(field.json_name, []).append(found)
    elif field.json_name in tree:
        raise Refused.wrong_fields([WrongField(name, value, "there once")])
    else:
        tree[field.json_name] = found


def names_of(descriptor: Descriptor) -> dict[str, FieldDescriptor]:
    return {name: each for each in descriptor.fields for name in (each.name, each.json_name)}


def parameter_value(field: FieldDescriptor, name: str, text: str) -> Json:
    """The text of a parameter as JSON has it.

    Raises:
        Refused: INVALID_FIELD.
    """
    if field.type == FieldDescriptor.TYPE_BOOL:
        return truth_of(name, text)
    if field.enum_type is not None:
        return enum_name(field, name, text)
    if is_position(field):
        return position_tree(name, text)
    if field.message_type is not None:
        is_mask = field.message_type.name == "FieldMask"
        return mask_text(text) if is_mask else text
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING or text:
        return text
    raise Refused.wrong_fields([WrongField(name, text, expected_of(field))])


def truth_of(name: str, text: str) -> bool:
    found = TRUTH.get(text.lower())
    if found is None:
        raise Refused.wrong_fields([WrongField(name, text, "true or false")])
    return found


def enum_name(field: FieldDescriptor, name: str, text: str) -> str:
    """The value that a text names, with or without what all names of its type begin with."""
    assert field.enum_type is not None
    values = field.enum_type.values_by_name
    prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
    for each in (text.upper(), f"{prefix}{text.upper()}"):
        if each in values:
            return each
    names = [each.removeprefix(prefix) for each in values]
    raise Refused.wrong_fields([WrongField(name, text, expected_among(text, names, "a name"))])


def mask_text(text: str) -> str:
    """A mask with its fields as JSON writes them, however they came."""
    return ",".join(map(camel, filter(None, text.split(","))))


def camel(name: str) -> str:
    head, *rest = name.strip().split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def position_tree(name: str, text: str) -> Json:
    """A position as this service writes it in `Mds-Position`: `store/epoch/revision`.

    Raises:
        Refused: INVALID_FIELD.
    """
    store_id, epoch, revision = [*text.rsplit("/", 2), "", ""][:3]
    if store_id and all(each.isascii() and each.isdigit() for each in (epoch, revision)):
        return {"storeId": store_id, "epoch": epoch, "revision": revision}
    expected = "a position of this service: {store}/{epoch}/{revision}"
    raise Refused.wrong_fields([WrongField(name, text, expected)])
