"""Pages on the wire: joined entries are the reply, on both faces."""

import json
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from mds.v1 import position_pb2

from metadata_server.api.messages import to_message
from metadata_server.api.pages import ITEMS_FIELD, Page, weight_of, written
from metadata_server.api.prepared import serialized
from metadata_server.api.rest.answers import body_of, json_line
from metadata_server.api.rest.selecting import Wanted
from metadata_server.api.services import STANDARD
from metadata_server.domain.intent.facility import Script
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from tests.api.resources import BY_KIND

LISTS = {
    type_.kind: next(
        message
        for name, message in vars(protocol).items()
        if name.startswith("List")
        and name.endswith("Response")
        and type_.kind.collection in message.DESCRIPTOR.fields_by_name
    )
    for type_, protocol, _ in STANDARD
}
PAGES = st.sampled_from(sorted(BY_KIND)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(BY_KIND[kind], max_size=3))
)
POSITION = position_pb2.Position(store_id="s", epoch=1, revision=9)


def reply_of(kind: Kind, resources: Sequence[Resource], token: str) -> Message:
    """As a generated message is filled."""
    reply = LISTS[kind](next_page_token=token, position=POSITION)
    getattr(reply, kind.collection).extend(map(to_message, resources))
    found: Message = reply
    return found


def page_of(kind: Kind, resources: Sequence[Resource], token: str) -> Page:
    head = LISTS[kind](next_page_token=token, position=POSITION)
    return Page(head, [written(each) for each in resources])


def test_every_list_has_what_it_holds_in_the_same_field() -> None:
    for kind, reply in LISTS.items():
        field = reply.DESCRIPTOR.fields_by_number[ITEMS_FIELD]
        assert (field.name, field.is_repeated) == (kind.collection, True)


@given(PAGES, st.sampled_from(["", "more"]))
def test_joined_entries_are_the_reply(page: tuple[Kind, list[Resource]], token: str) -> None:
    kind, resources = page
    expected = reply_of(kind, resources, token)
    ready = page_of(kind, resources, token)
    assert type(expected).FromString(serialized(ready)) == expected
    assert ready.message == expected
    head: Any = ready.head
    assert (head.next_page_token, head.position) == (token, POSITION)


@given(PAGES, st.sampled_from(["", "more"]))
async def test_joined_json_is_the_reply(page: tuple[Kind, list[Resource]], token: str) -> None:
    kind, resources = page
    expected = reply_of(kind, resources, token)
    ready = page_of(kind, resources, token)
    for _ in range(2):  # made, and kept
        assert await body_of(ready, {}) == json_line(expected)
    assert ready.are_written
    name = kind.collection.title().replace("_", "")
    wanted: Wanted = {name[0].lower() + name[1:]: {"name": {}}}
    assert await body_of(ready, wanted) == json_line(expected, wanted)


async def test_json_is_made_once_for_all_pages_that_an_entry_is_on() -> None:
    entries = [written(Script(id=id)) for id in "abc"]
    await body_of(Page(LISTS[Kind.SCRIPT](), entries[:2]), {})
    first = entries[0].text
    both = json.loads(await body_of(Page(LISTS[Kind.SCRIPT](), entries), {}))
    assert [each["name"] for each in both["scripts"]] == ["scripts/a", "scripts/b", "scripts/c"]
    assert entries[0].text is first


def test_an_entry_weighs_what_json_of_it_will_take_too() -> None:
    entry = written(Script(id="large", content="x" * 10_000))
    assert weight_of(entry) > 2 * 10_000
