"""Lists by HTTP: page by page along links, and whole as files."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from itertools import count

import pytest
import yaml

from metadata_server.api.rest.formats import FORMATS, Format
from tests.rest.conftest import Answer, Http

MANY = 25
DESCRIPTIONS = (
    "plain",
    "=1+1",
    "-5",
    "-x",
    "@a",
    "a,b",
    'say "x"',
    "line\nbreak",
    "µ<&>\u2028",
    "",
)
NEXT = re.compile(r'<([^>]+)>; rel="next"')
FIRST = re.compile(r'<([^>]+)>; rel="first"')


@pytest.fixture
async def listed(http: Http) -> Http:
    """Agents to list; made by whichever test comes first."""
    if (await http("GET", "/v1/agents/list/000")).status == 404:
        lines = [{"items": [{"agent": agent(number)} for number in range(MANY)]}, {"end": True}]
        data = "\n".join(map(json.dumps, [{"header": {}}, *lines])).encode()
        media_type = "application/x-ndjson"
        made = await http("POST", "/v1/bundles:apply", data=data, Content_Type=media_type)
        assert b'"applied":true' in made.body
    return http


def agent(number: int) -> dict[str, object]:
    return {
        "name": f"agents/list/{number:03}",
        "description": DESCRIPTIONS[number % len(DESCRIPTIONS)],
        "labels": {"number": str(number)},
    }


async def pages(http: Http, path: str) -> AsyncIterator[Answer]:
    """All pages, along their links."""
    for _ in count():
        page = await http("GET", path)
        assert page.status == 200, page.body
        yield page
        found = NEXT.search(page.headers["Link"])
        if found is None:
            return
        path = found[1]


async def test_all_pages_are_found_along_their_links_and_are_of_one_position(listed: Http) -> None:
    names, positions = [], set()
    async for page in pages(listed, "/v1/agents?pageSize=7&idPrefix=list/&fields=name"):
        names += [each["name"] for each in page.json["agents"]]
        positions.add(page.headers["Mds-Position"])
        first = FIRST.search(page.headers["Link"])
        assert first is not None
        assert first[1] == "/v1/agents?pageSize=7&idPrefix=list/&fields=name"
        await listed.variable(f"meanwhile{len(names)}")
    assert names == [f"agents/list/{number:03}" for number in range(MANY)]
    assert len(positions) == 1


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.word)
async def test_a_file_has_all_of_a_list(listed: Http, format: type[Format]) -> None:
    query = "idPrefix=list/&pageSize=10"
    by_word = await listed("GET", f"/v1/agents?{query}&format={format.word}")
    assert by_word.headers["Content-Type"].startswith(format.media_type)
    assert f"agents.{format.word}" in by_word.headers["Content-Disposition"]
    assert [each["description"] for each in read(format.word, by_word)] == [
        harmless(agent(number)["description"], format.word) for number in range(MANY)
    ]
    if format.word != "json":  # which is a page to those who merely accept it
        by_type = await listed("GET", f"/v1/agents?{query}", Accept=format.media_type)
        assert by_type.body == by_word.body
    none = await listed("GET", f"/v1/agents?idPrefix=nobody&format={format.word}")
    assert read(format.word, none) == []


def harmless(text: object, word: str) -> object:
    return f"'{text}" if word == "csv" and text in {"=1+1", "-x", "@a"} else text


def read(word: str, answer: Answer) -> list[dict[str, str]]:
    """The items of a file; what is not there is empty."""
    text = answer.body.decode()
    if word == "ndjson":
        found = [json.loads(line) for line in text.split("\n") if line]
    elif word == "json":
        found = answer.json["agents"]
    elif word == "yaml":
        found = yaml.safe_load(text)
    elif word == "csv":
        found = list(csv.DictReader(io.StringIO(text, newline="")))
    else:
        found = rows(text)
    return [{"description": ""} | each for each in found]


def rows(text: str) -> list[dict[str, str]]:
    """Rows of a VOTable, by the names of its fields."""
    space = "{http://www.ivoa.net/xml/VOTable/v1.3}"
    table = next(ET.fromstring(text).iter(f"{space}TABLE"))
    names = [field.attrib["name"] for field in table.iter(f"{space}FIELD")]
    return [
        dict(zip(names, (cell.text or "" for cell in row), strict=True))
        for row in table.iter(f"{space}TR")
    ]


async def test_a_file_has_the_columns_that_are_asked_for(listed: Http) -> None:
    file = await listed("GET", "/v1/agents?idPrefix=list/00&format=csv&fields=name,labels.number")
    assert file.body.decode().splitlines()[:2] == [
        "name,labels",
        'agents/list/000,"{""number"":""0""}"',
    ]
    server = {"name": "unit_servers/files", "launch": {"agent": "agents/list/000"}}
    assert (await listed("POST", "/v1/unit_servers", server)).status == 201
    file = await listed("GET", "/v1/unit_servers?format=csv&fields=name,launch.agent")
    assert file.body.decode().splitlines() == [
        "name,launch.agent",
        "unit_servers/files,agents/list/000",
    ]


async def test_what_is_wrong_with_a_file_is_told_before_it_begins(listed: Http) -> None:
    for query in ("format=csv&filter=)", "format=csv&fields=x", "format=csv&pageToken=x"):
        refused = await listed("GET", f"/v1/agents?{query}")
        assert (refused.status, refused.headers["Content-Type"]) == (400, "application/json")


async def test_a_file_may_travel_in_gzip(listed: Http) -> None:
    path = "/v1/agents?idPrefix=list/&format=ndjson"
    packed = await listed("GET", path, Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    plain = await listed("GET", path, Accept_Encoding="identity")
    assert packed.body == plain.body


async def test_lists_of_what_is_no_resource_are_filtered_and_sorted(listed: Http) -> None:
    path = "/v1/agent_statuses?idPrefix=list/&filter=contact%3DNONE%20list/02&orderBy=agent%20desc"
    found = [page async for page in pages(listed, f"{path}&pageSize=3")]
    names = [each["agent"] for page in found for each in page.json["agentStatuses"]]
    assert names == [f"agents/list/{number:03}" for number in (24, 23, 22, 21, 20)]
    wrong = await listed("GET", "/v1/webhook_deliveries?webhook=webhooks/x&filter=staet%3DFAILED")
    assert wrong.status == 404  # of what is not there nothing is to be filtered
    wrong = await listed("GET", "/v1/sightings?filter=hots%3Dnode*")
    assert (wrong.status, b"did you mean" in wrong.body) == (400, True)
    oldest = await listed("GET", "/v1/change_sets?orderBy=revision&pageSize=1")
    assert oldest.json["changeSets"][0]["name"] == "change_sets/1"
