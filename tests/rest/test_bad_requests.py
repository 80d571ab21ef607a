"""What is wrong with a request is told: which status, which reason, and what would be right."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from tests.rest.conftest import Http
from tests.stages.replica import Replica

JSON = "application/json"


@pytest.mark.parametrize(
    ("raw", "status", "reason"),
    [
        ("A", 404, "VARIABLE_NOT_FOUND"),
        ("A%2FB%2FC", 404, "VARIABLE_NOT_FOUND"),
        ("c8%3A1f", 404, "VARIABLE_NOT_FOUND"),
        ("c8:1f", 404, "PATH_NOT_FOUND"),
        ("A/../B", 400, "INVALID_ID"),
        ("A/%2e%2e/B", 400, "INVALID_ID"),
        ("A//B", 400, "INVALID_ID"),
        ("A/", 400, "INVALID_ID"),
        ("%00", 400, "INVALID_ID"),
        ("%0d%0aX", 400, "INVALID_ID"),
        ("%C3%A9", 400, "INVALID_ID"),
        ("%ff", 400, "INVALID_FIELD"),
        ("a%20b", 400, "INVALID_ID"),
        ("%zz", 400, "INVALID_ID"),
        ("'; DROP TABLE variable", 400, "INVALID_ID"),
        ("x" * 300, 400, "INVALID_ID"),
        ("", 404, "PATH_NOT_FOUND"),
    ],
)
async def test_ids_in_paths(http: Http, raw: str, status: int, reason: str) -> None:
    answer = await http("GET", f"/v1/variables/{raw.replace(' ', '%20')}")
    assert (answer.status, answer.reason) == (status, reason)


@pytest.mark.parametrize(
    ("verb", "path", "status", "reason"),
    [
        ("GET", "/v1/nothing", 404, "PATH_NOT_FOUND"),
        ("GET", "/v1", 404, "PATH_NOT_FOUND"),
        ("GET", "/nothing", 404, "PATH_NOT_FOUND"),
        ("POST", "/metrics", 405, "VERB_NOT_ALLOWED"),
        ("PUT", "/v1/variables/A", 405, "VERB_NOT_ALLOWED"),
        ("POST", "/v1/variables/A", 405, "VERB_NOT_ALLOWED"),
        ("DELETE", "/v1/variables", 405, "VERB_NOT_ALLOWED"),
        ("GET", "/v1/operations:plan", 405, "VERB_NOT_ALLOWED"),
        ("TRACE", "/v1/variables", 405, "VERB_NOT_ALLOWED"),
        ("BREW", "/v1/variables", 400, "INVALID_HTTP"),
    ],
)
async def test_paths_and_verbs(http: Http, verb: str, path: str, status: int, reason: str) -> None:
    answer = await http(verb, path)
    assert (answer.status, answer.reason) == (status, reason)
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/v1/controlUnits/A", "Perhaps /v1/control_units."),
        ("/v1/variable/A", "Perhaps /v1/variables."),
        ("/v1/unit_servers/c8:1f", "Verbs there: log, restart, start, stop. In a path, the colon"),
        ("/v1/xyz", "There is nothing at /v1/xyz."),
    ],
)
async def test_what_is_not_there_is_told_with_what_it_resembles(
    http: Http, path: str, hint: str
) -> None:
    assert hint in (await http("GET", path)).message


async def test_options_tell_what_a_path_takes(http: Http) -> None:
    answer = await http("OPTIONS", "/v1/variables/A")
    assert (answer.status, answer.headers["Allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("pageSise=1", "perhaps pageSize"),
        ("pageSize=many", "pageSize is 'many'; right would be a whole number"),
        ("pageSize=", "a whole number"),
        ("pageSize=1&pageSize=2", "there once"),
        ("pageSize=99999999999999999999", "a whole number"),
        ("pageSize=-1", "page_size"),
        ("dryRun=1", "a parameter of this path"),
        ("pageToken=nonsense", "token"),
        ("idPrefix=%ff", "UTF-8"),
        ("%ff=1", "UTF-8"),
        ("fields=nothing", "a field of the answer"),
        ("format=exe", "one of ndjson"),
        ("minRevision=soon", "a revision like 120"),
        ("idPrefix.x=1", "a parameter of this path"),
        ("=", "a parameter of this path"),
    ],
)
async def test_queries(http: Http, query: str, told: str) -> None:
    answer = await http("GET", f"/v1/variables?{query}")
    assert answer.status == 400
    assert told in answer.message


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=RUNNING", 200),
        ("state=STATE_RUNNING", 200),
        ("state=running", 200),
        ("state=RUNING", 400),
        ("state=4711", 400),
    ],
)
async def test_words_of_enums(http: Http, query: str, status: int) -> None:
    answer = await http("GET", f"/v1/control_unit_statuses?{query}")
    assert answer.status == status
    assert status == 200 or "RUNNING" in answer.message


async def test_every_wrong_field_is_told_at_once(http: Http) -> None:
    answer = await http(
        "POST", "/v1/agents?dryRun=maybe", {"name": 7, "hots": "x", "labels": ["y"]}
    )
    assert answer.status == 400
    answer = await http("POST", "/v1/agents", {"name": 7, "hots": "x", "createTime": "y"})
    (wrong,) = (each for each in answer.json["error"]["details"] if "fieldViolations" in each)
    assert [each["field"] for each in wrong["fieldViolations"]] == [
        "agent.name",
        "agent.hots",
        "agent.createTime",
    ]
    assert "perhaps host" in answer.message


@pytest.mark.parametrize(
    ("data", "media_type", "status", "reason"),
    [
        (b"{", JSON, 400, "INVALID_JSON"),
        (b"[]", JSON, 400, "INVALID_FIELD"),
        (b"null", JSON, 400, "INVALID_FIELD"),
        (b"", JSON, 400, "INVALID_FIELD"),
        (b'{"value": "\xff"}', JSON, 400, "INVALID_JSON"),
        (b"[" * 200_000, JSON, 400, "INVALID_JSON"),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, JSON, 400, "INVALID_JSON"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "application/json; charset=utf-16", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_bodies(http: Http, data: bytes, media_type: str, status: int, reason: str) -> None:
    answer = await http("POST", "/v1/variables", data=data, Content_Type=media_type)
    assert (answer.status, answer.reason) == (status, reason)


async def test_a_body_where_none_belongs_is_refused(http: Http) -> None:
    answer = await http("GET", "/v1/variables", data=b"{}", Content_Type=JSON)
    assert (answer.status, "no body here" in answer.message) == (400, True)


async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(http: Http) -> None:
    large = b" " * (7 * 1024 * 1024)

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    for data in (io.BytesIO(large), parts()):
        answer = await http("POST", "/v1/variables", data=data, Content_Type=JSON)
        assert (answer.status, answer.reason) == (413, "MESSAGE_TOO_LARGE")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/*;q=0.1", 200),
        ("text/html, */*;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/json;q=x", 406),
    ],
)
async def test_what_a_caller_accepts(http: Http, accept: str, status: int) -> None:
    assert (await http("GET", "/v1/overview", Accept=accept)).status == status


@pytest.mark.parametrize(
    "request_text",
    [
        b"GET /v1/variables?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /v1/variables HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /v1/variables HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        (
            b"GET /v1/variables HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
    ],
)
async def test_what_is_no_http_is_told_in_the_same_body(
    lasting_replica: Replica, request_text: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", lasting_replica.http_port)
    writer.write(request_text)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert json.loads(body)["error"]["details"][0]["reason"] == "INVALID_HTTP"


async def test_text_that_would_be_more_elsewhere_is_only_text(http: Http) -> None:
    for text in ("'; DROP TABLE variable; --", "<script>", "${jndi:ldap://x}", "\u202e\x7f", "../"):
        made = await http(
            "POST",
            "/v1/agents?dryRun=1&reason=" + quote(text),
            {"name": "agents/texts", "description": text},
        )
        assert (made.status, made.json["description"]) == (200, text)


@pytest.mark.parametrize("header", [b"Mds-Reason", b"Mds-Principal", b"Idempotency-Key"])
async def test_headers_that_are_no_text_are_refused(
    lasting_replica: Replica, header: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", lasting_replica.http_port)
    body = b'{"name":"variables/h","value":"1"}'
    writer.write(
        b"POST /v1/variables HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%b: \xff\xfe\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (header, len(body)) + body
    )
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    assert answer.split()[1] == b"400"
    assert b"UTF-8 text" in answer


@pytest.mark.parametrize(
    ("encoding", "status", "reason"),
    [
        ("gzip", 400, "INVALID_HTTP"),
        ("deflate", 400, "INVALID_HTTP"),
        ("rot13", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("gzip, gzip", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_a_body_that_is_not_encoded_as_it_says_is_no_fault_of_the_server(
    http: Http, encoding: str, status: int, reason: str
) -> None:
    body = b'{"name":"variables/encoded","value":"1"}'
    answer = await http(
        "POST", "/v1/variables", data=io.BytesIO(body),
        Content_Type=JSON, Content_Encoding=encoding,
    )  # fmt: skip
    assert (answer.status, answer.reason) == (status, reason), answer.body
