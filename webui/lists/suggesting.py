"""What a filter that is being typed may go on with: keys, and values by how they begin."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message
from mds.v1.agent_pb2 import ListAgentsRequest
from mds.v1.control_unit_pb2 import ListControlUnitsRequest
from mds.v1.filter_pb2 import FilterKey, FilterValueKind, ListFilterKeysRequest
from mds.v1.template_pb2 import ListTemplatesRequest
from mds.v1.unit_server_pb2 import ListUnitServersRequest

from control_units.client import Client
from webui.lists.reading import Call, Query
from webui.names import id_of

MOST = 10

# The term that ends where the cursor stands: what comes before its key, its key and sign, and
# the value that is begun, of those that commas part the last one.
_BEGUN = re.compile(
    r'(?P<head>-?(?P<key>[^\s"():=!<>,]+)(?P<sign>!=|[=:])(?:[^\s"(),]+,)*)?(?P<word>-?[^\s"(),]*)$'
)

# Keys whose values are ids: the List method that tells them.
_IDS: Mapping[str, tuple[str, str, type[Message]]] = {
    "control_unit": ("control_units", "ListControlUnits", ListControlUnitsRequest),
    "unit_server": ("unit_servers", "ListUnitServers", ListUnitServersRequest),
    "template": ("templates", "ListTemplates", ListTemplatesRequest),
    "agent": ("agents", "ListAgents", ListAgentsRequest),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One way to go on.

    Attributes:
        text: all that stands before the cursor then.
        label: the piece of it that is new.
        meaning: what it asks for; may be empty.
    """

    text: str
    label: str
    meaning: str = ""


async def keys_of(client: Client, noun: str) -> Sequence[FilterKey]:
    """Raises: ClientError."""
    reply = await client.filters.ListFilterKeys(ListFilterKeysRequest(kind=noun))
    return reply.filter_keys


async def suggestions(
    client: Client, noun: str, text: str, *, zones: Iterable[str] = ()
) -> list[Suggestion]:
    """What may come where a text ends; nothing, where that can be anything.

    Args:
        zones: that are known.

    Raises:
        ClientError: no server answers.
    """
    found = _BEGUN.search(text)
    if found is None or text.count('"') % 2:
        return []
    keys = await keys_of(client, noun)
    head, word = found["head"] or "", found["word"]
    before = text[: found.start()]
    if not head:
        return [Suggestion(before + each, each, meaning) for each, meaning in _keys(keys, word)][
            :MOST
        ]
    key = next((each for each in keys if each.name == found["key"]), None)
    values = await _values(client, noun, key, word, zones) if key else []
    return [Suggestion(f"{before}{head}{each}", each) for each in values[:MOST]]


def _keys(keys: Sequence[FilterKey], word: str) -> Iterable[tuple[str, str]]:
    """Keys that begin so, each with the sign that it is mostly asked by."""
    minus = "-" if word.startswith("-") else ""
    begun = word.removeprefix("-")
    for key in keys:
        if key.name.startswith(begun):
            yield f"{minus}{key.name}{_sign(key)}", key.meaning


def _sign(key: FilterKey) -> str:
    if key.value_kind == FilterValueKind.FILTER_VALUE_KIND_FLAG:
        return " "
    if key.value_kind == FilterValueKind.FILTER_VALUE_KIND_TIME:
        return "<"
    return ":" if key.many or key.value_kind == FilterValueKind.FILTER_VALUE_KIND_TEXT else "="


async def _values(
    client: Client, noun: str, key: FilterKey, begun: str, zones: Iterable[str]
) -> list[str]:
    if key.words:
        return [each for each in key.words if each.startswith(begun.upper()) or begun in each]
    if key.name == "zone":
        return [each for each in zones if each.startswith(begun)]
    if (kind := noun if key.name == "id" else key.name) not in _IDS:
        return []
    collection, method, request = _IDS[kind]
    call = Call(getattr(getattr(client, collection), method), request, collection)
    page = await call.page(Query(size=MOST), id_prefix=begun)
    return [id_of(each.name) for each in page.things]
