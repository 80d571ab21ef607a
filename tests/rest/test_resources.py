"""Resources by HTTP: made, read, changed, deleted; safe among several writers, safe to repeat."""

import asyncio
import gzip
import json

import aiohttp

from tests.rest.conftest import Http
from tests.stages.replica import Replica


async def test_a_resource_is_made_read_changed_and_deleted(http: Http) -> None:
    made = await http(
        "POST",
        "/v1/variables?reason=to%20have%20it",
        {"name": "variables/life/A:1", "value": "1"},
        Mds_Principal="rita",
    )
    assert (made.status, made.headers["Location"]) == (201, "/v1/variables/life/A%3A1")
    where, etag = made.headers["Location"], made.headers["ETag"]
    read = await http("GET", where)
    assert (read.status, read.headers["ETag"], read.json) == (200, etag, made.json)
    assert read.headers["Mds-Position"].count("/") == 2
    changed = await http("PATCH", where, {"value": "2"}, If_Match=etag, Mds_Reason="größer")
    assert (changed.status, changed.json["value"]) == (200, "2")
    assert changed.headers["ETag"] != etag
    gone = await http("DELETE", where, If_Match=changed.headers["ETag"])
    assert (gone.status, gone.json["position"]["revision"]) == (
        200,
        gone.headers["Mds-Position"].rpartition("/")[2],
    )
    assert (await http("GET", where)).reason == "VARIABLE_NOT_FOUND"
    told = await http("GET", "/v1/changes?name=variables/life/A:1")
    reasons = [each["changeSet"].get("reason", "") for each in told.json["changes"]]
    assert reasons == ["", "größer", "to have it"]


async def test_a_write_wants_the_etag_that_was_read(http: Http) -> None:
    await http.variable("etag")
    path = "/v1/variables/etag"
    for verb, body in (("PATCH", {"value": "2"}), ("DELETE", None)):
        assert (await http(verb, path, body)).status == 428
        assert (await http(verb, path, body, If_Match='"17"')).status == 412
        for wrong in ('W/"17"', "17", '"1", "2"', ""):
            refused = await http(verb, path, body, If_Match=wrong)
            assert (refused.status, refused.reason) == (400, "INVALID_FIELD"), wrong
    assert (await http("PATCH", path, {"value": "2"}, If_Match="*")).status == 200
    both = await http("PATCH", path, {"value": "3", "etag": "1"}, If_Match='"2"')
    assert both.reason == "INVALID_FIELD"


async def test_of_two_writers_one_is_told_what_the_other_did(http: Http) -> None:
    etag = (await http.variable("two")).headers["ETag"]
    first, second = await asyncio.gather(
        http("PATCH", "/v1/variables/two", {"value": "10"}, If_Match=etag, Mds_Principal="ada"),
        http("PATCH", "/v1/variables/two", {"value": "20"}, If_Match=etag, Mds_Principal="bob"),
    )
    won, lost = sorted((first, second), key=lambda answer: answer.status)
    assert (won.status, lost.status, lost.reason) == (200, 412, "ETAG_MISMATCH")
    (conflict,) = (
        each for each in lost.json["error"]["details"] if each["@type"].endswith("mds.v1.Conflict")
    )
    assert conflict["author"] in {"ada", "bob"}
    assert conflict["fields"][0]["now"] == won.json["value"]


async def test_a_repeated_call_does_its_work_once(http: Http) -> None:
    body = {"name": "variables/once", "value": "1"}
    first = await http("POST", "/v1/variables", body, Idempotency_Key="once-1")
    again = await http("POST", "/v1/variables", body, Idempotency_Key="once-1")
    by_query = await http("POST", "/v1/variables?requestId=once-1", body)
    assert (first.status, again.status, by_query.status) == (201, 201, 201)
    assert first.json == again.json == by_query.json
    other = await http("POST", "/v1/variables", {**body, "value": "2"}, Idempotency_Key="once-1")
    assert other.reason == "REQUEST_ID_REUSED"
    unlike = await http("POST", "/v1/variables?requestId=a", body, Idempotency_Key="b")
    assert unlike.reason == "INVALID_FIELD"


async def test_a_try_writes_nothing(http: Http) -> None:
    body = {"name": "variables/tried", "value": "1"}
    for query in ("dryRun=true", "validateOnly=1", "validate_only=TRUE"):
        tried = await http("POST", f"/v1/variables?{query}", body)
        assert (tried.status, "Location" in tried.headers) == (200, False)
    assert (await http("GET", "/v1/variables/tried")).status == 404
    await http.variable("tried")
    tried = await http("DELETE", "/v1/variables/tried?dryRun=1", If_Match="*")
    assert tried.status == 200
    assert (await http("GET", "/v1/variables/tried")).status == 200


async def test_who_has_it_already_is_told_so(http: Http) -> None:
    etag = (await http.variable("known")).headers["ETag"]
    path = "/v1/variables/known"
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        same = await http("GET", path, If_None_Match=known)
        assert (same.status, same.body, same.headers["ETag"]) == (304, b"", etag)
    assert (await http("GET", path, If_None_Match='"x"')).status == 200
    head = await http("HEAD", path)
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", etag)
    assert int(head.headers["Content-Length"]) > 0


async def test_a_patch_changes_what_its_body_has_or_what_its_mask_names(http: Http) -> None:
    agent = {"name": "agents/mask", "host": "a", "description": "b"}
    assert (await http("POST", "/v1/agents", agent)).status == 201
    whole = (await http("GET", "/v1/agents/mask")).json | {"description": "c"}
    etag = f'"{whole["etag"]}"'
    changed = await http("PATCH", "/v1/agents/mask", whole, If_Match=etag)
    assert (changed.status, changed.json["description"], changed.json["host"]) == (200, "c", "a")
    cleared = await http("PATCH", "/v1/agents/mask", {"description": None}, If_Match="*")
    assert "description" not in cleared.json
    for mask in ("updateMask=host", "update_mask=host", "updateMask=host,description"):
        body = {"host": mask, "description": "d"}
        masked = await http("PATCH", f"/v1/agents/mask?{mask}", body, If_Match="*")
        assert masked.json["host"] == mask
    assert masked.json["description"] == "d"
    refused = await http("PATCH", "/v1/agents/mask?updateMask=hots", {"host": "x"}, If_Match="*")
    assert refused.reason == "INVALID_FIELD"
    assert (await http("PATCH", "/v1/agents/mask", {}, If_Match="*")).status == 400
    other = await http("PATCH", "/v1/agents/mask", {"name": "agents/x", "host": "y"}, If_Match="*")
    assert (other.status, "agent.name" in other.message) == (400, True)


async def test_the_past_is_read_by_revision_and_by_time(http: Http) -> None:
    made = await http.variable("past", "1")
    await http("PATCH", "/v1/variables/past", {"value": "2"}, If_Match="*")
    for moment in (made.json["revision"], made.json["createTime"].replace("+", "%2B")):
        read = await http("GET", f"/v1/variables/past?asOf={moment}")
        assert read.json["value"] == "1"
    assert (await http("GET", "/v1/variables/past?asOf=later")).status == 400


async def test_a_part_of_an_answer_can_be_asked_for(http: Http) -> None:
    await http.variable("part", "7")
    part = await http("GET", "/v1/variables/part?fields=value,name")
    assert part.json == {"value": "7", "name": "variables/part"}
    page = await http("GET", "/v1/variables?idPrefix=part&fields=value")
    assert page.json["variables"] == [{"value": "7"}]
    assert "position" in page.json
    nested = await http("GET", "/v1/overview?fields=position.revision")
    assert set(nested.json) == {"position"}
    assert set(nested.json["position"]) == {"revision"}
    for wrong in ("valu", "value.x", "name,,nothing"):
        refused = await http("GET", f"/v1/variables/part?fields={wrong}")
        assert (refused.status, refused.reason) == (400, "INVALID_FIELD"), wrong


async def test_long_answers_travel_in_gzip_where_that_is_taken(lasting_replica: Replica) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        await check_gzip(Http(session, lasting_replica.http))


async def check_gzip(http: Http) -> None:
    body = {"name": "variables/gzip", "value": json.dumps("x" * 5000)}
    long = await http("POST", "/v1/variables", body, Accept_Encoding="identity")
    path = "/v1/variables/gzip"
    packed = await http("GET", path, Accept_Encoding="br, gzip;q=0.5")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.body)) == long.json
    for taken in ("identity", "gzip;q=0", ""):
        plain = await http("GET", path, Accept_Encoding=taken)
        assert "Content-Encoding" not in plain.headers, taken
    small = await http("GET", f"{path}?fields=name", Accept_Encoding="gzip")
    assert "Content-Encoding" not in small.headers


async def test_calls_are_counted_and_logged_with_their_face(http: Http) -> None:
    await http("GET", "/v1/variables/nobody", Mds_Principal="carla", Mds_Request_Id="here-7")
    figures = (await http("GET", "/metrics")).body.decode()
    assert (
        'mds_refused_total{face="rest",method="Variables.GetVariable",reason="VARIABLE_NOT_FOUND"}'
        in figures
    )
