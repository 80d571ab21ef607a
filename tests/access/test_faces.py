"""Every face asks who calls, and lets nobody do what their role does not allow."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1 import (
    bundle_pb2,
    control_unit_pb2,
    history_pb2,
    policy_pb2,
    registration_pb2,
    token_pb2,
    variable_pb2,
    watch_pb2,
)

from control_units.client import Client, Denied, NotApplied, Refused
from tests.access.conftest import ROLES, Guarded, bearer
from tests.stages.waiting import until

READ = control_unit_pb2.ListControlUnitsRequest()
CHAOS_SEARCH = {"dev": "", "cmd": "search", "parm": '{"name":"","what":"cu","alive":false}'}


def variable(id: str, value: str = "1") -> variable_pb2.CreateVariableRequest:
    wanted = variable_pb2.Variable(name=f"variables/{id}", value=value)
    return variable_pb2.CreateVariableRequest(variable=wanted, reason="a test")


async def refusal(call: Any) -> Denied:
    with pytest.raises(Denied) as refused:
        await call
    return refused.value


async def test_nobody_comes_in_without_a_token(
    guarded: Guarded, http: aiohttp.ClientSession
) -> None:
    async with Client(guarded.first.address, principal="admin", timeout=5) as client:
        refused = await refusal(client.control_units.ListControlUnits(READ))
        assert refused.reason == "UNAUTHENTICATED"
        assert "mds token create" in refused.message
    for path in ("/v1/control_units", "/v1/whoami", "/v1/control_units:watch", "/metrics"):
        async with http.get(guarded.first.http + path) as answer:
            found = (answer.status, answer.headers.get("WWW-Authenticate"))
        if path != "/v1/control_units:watch":
            assert found == (401, 'Bearer realm="mds"'), path
    async with http.post(f"{guarded.first.http}/CU", data=CHAOS_SEARCH) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("path", ["/v1/variables", "/v1/operations", "/CU", "/MDS"])
async def test_nothing_that_a_stranger_sends_is_waited_for(guarded: Guarded, path: str) -> None:
    """A body is read of those only who have shown a token."""
    there = urlsplit(guarded.first.http)
    reader, writer = await asyncio.open_connection(there.hostname, there.port)
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\ncmd="
    writer.write(head.encode())
    try:
        async with asyncio.timeout(10):
            answer = await reader.readuntil(b"UNAUTHENTICATED")
    finally:
        writer.close()
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_balancers_and_readers_of_the_reference_need_none(
    guarded: Guarded, http: aiohttp.ClientSession
) -> None:
    for path in ("/healthz/live", "/healthz/ready", "/openapi.json"):
        async with http.get(guarded.first.http + path) as answer:
            assert answer.status == 200, path
    assert await guarded.first.health() == "SERVING"


async def test_unknown_wrong_and_revoked_tokens_are_told_alike(guarded: Guarded) -> None:
    revoked = await guarded.new_token("gone", "viewer")
    async with guarded.client("admin") as admin:
        await admin.tokens.RevokeToken(token_pb2.RevokeTokenRequest(name=revoked.name))
    known = guarded.texts["viewer"]
    messages = set()
    for text in (f"mds_{'b' * 12}_{'0' * 64}", f"{known[:-4]}0000", revoked.text):
        async with Client(guarded.first.address, token=text, timeout=5) as client:

            async def is_refused(client: Client = client) -> bool:
                try:
                    await client.control_units.ListControlUnits(READ)
                except Denied as refused:
                    messages.add(refused.message)
                    return refused.reason == "UNAUTHENTICATED"
                return False

            await until(is_refused, within=5, what="refusal of a token")
    assert len(messages) == 1
    assert not any(known[17:] in each for each in messages)


@pytest.mark.parametrize("text", ["nonsense", "mds_short_1", "mds_" + "x" * 300])
async def test_what_is_no_token_is_refused(guarded: Guarded, text: str) -> None:
    async with Client(guarded.first.address, token=text, timeout=5) as client:
        refused = await refusal(client.control_units.ListControlUnits(READ))
    assert refused.reason == "UNAUTHENTICATED"
    assert text not in refused.message


async def test_each_role_may_do_what_those_before_it_may(
    guarded: Guarded, http: aiohttp.ClientSession
) -> None:
    """By gRPC and by REST: reads, orders, changes, decisions."""
    calls = {
        "viewer": ("GET", "/v1/control_units", None),
        "operator": (
            "POST",
            "/v1/unit_lists?dryRun=true",
            {"name": "unit_lists/some", "idPrefixes": ["A/"]},
        ),
        "expert": ("POST", "/v1/variables?dryRun=true", {"name": "variables/some", "value": "1"}),
        "admin": ("GET", "/v1/tokens", None),
    }
    for had in ROLES:
        for needed, (verb, path, body) in calls.items():
            may = ROLES.index(had) >= ROLES.index(needed)
            headers = bearer(guarded.texts[had])
            url = guarded.last.http + path
            async with http.request(verb, url, json=body, headers=headers) as answer:
                told = await answer.json()
                assert answer.status == (200 if may else 403), (had, needed, told)
            if not may:
                info = told["error"]["details"][0]
                assert info["reason"] == "ROLE_REQUIRED"
                assert info["metadata"] == {"needed": needed, "had": had}
    async with guarded.client("viewer", replica=guarded.last) as viewer:
        refused = await refusal(viewer.variables.CreateVariable(variable("x")))
        assert refused.reason == "ROLE_REQUIRED"


async def test_the_author_is_the_name_of_the_token_whatever_its_bearer_says(
    guarded: Guarded,
) -> None:
    text = guarded.texts["expert"]
    async with Client(guarded.first.address, token=text, principal="somebody else") as client:
        await client.variables.CreateVariable(variable("authored"))
        sets = await client.history.ListChangeSets(
            history_pb2.ListChangeSetsRequest(author="expert", page_size=1)
        )
        me = await client.tokens.WhoAmI(token_pb2.WhoAmIRequest())
    (newest,) = sets.change_sets
    assert (newest.author, newest.authenticated) == ("expert", True)
    assert (me.principal, me.authenticated, me.role) == ("expert", True, 3)


async def test_programs_register_with_a_viewers_token_that_is_for_programs(
    guarded: Guarded,
) -> None:
    request = registration_pb2.RegisterRequest(unit_server="unit_servers/US", incarnation="i")
    for role, reason in {"viewer": "ROLE_REQUIRED", "program": "UNDECLARED"}.items():
        async with guarded.client(role) as client:
            with pytest.raises(Refused) as refused:
                await client.registration.Register(request)
            assert refused.value.reason == reason
    async with guarded.client("program") as program:
        refused_order = await refusal(program.variables.CreateVariable(variable("by-program")))
        assert refused_order.reason == "ROLE_REQUIRED"


async def test_a_command_of_the_facade_takes_what_the_methods_take_that_it_comes_to(
    guarded: Guarded, http: aiohttp.ClientSession
) -> None:
    headers = bearer(guarded.texts["viewer"])
    url = f"{guarded.first.http}/CU"
    async with http.post(url, data=CHAOS_SEARCH, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
    setting = 'cmd=variable&parm={"what":"set","name":"point","value":{"a":1}}'
    statuses = {}
    for role in ("viewer", "expert"):
        headers = bearer(guarded.texts[role])
        async with http.post(f"{guarded.first.http}/MDS", data=setting, headers=headers) as answer:
            statuses[role] = (answer.status, "ROLE_REQUIRED" in await answer.text())
    assert statuses == {"viewer": (403, True), "expert": (200, False)}


async def test_neither_a_bundle_nor_a_try_of_one_leads_past_the_role_of_a_kind(
    guarded: Guarded,
) -> None:
    policy = policy_pb2.Policy(name="policies/night", requires_reason=True)
    async with guarded.client("expert") as expert:
        for validate_only in (True, False):
            with pytest.raises((Denied, NotApplied)) as refused:
                await expert.apply([policy], reason="a test", validate_only=validate_only)
            assert "ROLE_REQUIRED" in str(refused.value)
    async with guarded.client("admin") as admin:
        await admin.apply([policy], reason="a test")
        sets = await admin.history.ListChangeSets(
            history_pb2.ListChangeSetsRequest(author="admin", page_size=1)
        )
    async with guarded.client("expert") as expert:
        name = sets.change_sets[0].name
        refused_undo = await refusal(expert.history.Undo(history_pb2.UndoRequest(name=name)))
        assert refused_undo.reason == "ROLE_REQUIRED"
    async with guarded.client("admin") as admin:
        await admin.history.Undo(history_pb2.UndoRequest(name=name, reason="a test"))


async def test_streams_end_with_their_token_also_at_another_replica(
    guarded: Guarded, http: aiohttp.ClientSession
) -> None:
    new = await guarded.new_token("leaving", "viewer")
    lines: list[bytes] = []

    async def read() -> None:
        headers = bearer(new.text) | {"Accept": "text/event-stream"}
        async with http.get(f"{guarded.last.http}/v1/watch", headers=headers) as answer:
            while line := await answer.content.readline():
                lines.append(line)

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        async with Client(guarded.last.address, token=new.text) as client:
            stream = client.watch.Watch(watch_pb2.WatchRequest())
            await anext(aiter(stream))
            await until(lambda: bool(lines), within=5, what="the first line of the events")
            async with guarded.client("admin") as admin:
                await admin.tokens.RevokeToken(token_pb2.RevokeTokenRequest(name=new.name))
            async with asyncio.timeout(5):
                with pytest.raises(Denied) as refused:
                    async for _ in stream:
                        pass
                await reading
    assert refused.value.reason == "UNAUTHENTICATED"
    last = [line for line in lines if line.startswith(b"data:")][-1]
    assert json.loads(last[5:])["error"]["code"] == 401


async def test_a_token_is_good_at_another_replica_at_once_and_until_it_expires(
    guarded: Guarded,
) -> None:
    end = Timestamp()
    end.FromDatetime(datetime.now(UTC) + timedelta(seconds=2))
    new = await guarded.new_token("short", "viewer", end=end)
    async with Client(guarded.last.address, token=new.text, timeout=5) as client:
        await client.control_units.ListControlUnits(READ)

        async def has_expired() -> bool:
            try:
                await client.control_units.ListControlUnits(READ)
            except Denied as refused:
                return "has expired" in refused.message
            return False

        await until(has_expired, within=6, what="the end of a token")


async def test_who_created_and_revoked_is_in_the_history_and_in_the_list(
    guarded: Guarded,
) -> None:
    new = await guarded.new_token("audited", "viewer")
    async with guarded.client("admin") as admin:
        request = token_pb2.RevokeTokenRequest(name=new.name, reason="lost")
        await admin.tokens.RevokeToken(request)
        listing = await admin.tokens.ListTokens(token_pb2.ListTokensRequest(principal="audited"))
        sets = await admin.history.ListChangeSets(
            history_pb2.ListChangeSetsRequest(author="admin", page_size=2)
        )
        one = await admin.history.GetChangeSet(
            history_pb2.GetChangeSetRequest(name=sets.change_sets[0].name)
        )
    (token,) = listing.tokens
    assert (token.author, token.reason) == ("admin", "for a test")
    assert (token.revoker, token.revoke_reason, token.sha256) == ("admin", "lost", "")
    assert token.state == token_pb2.TOKEN_STATE_REVOKED
    told = [(each.method, each.reason) for each in sets.change_sets]
    assert told == [("Tokens.RevokeToken", "lost"), ("Tokens.CreateToken", "for a test")]
    assert one.method == "Tokens.RevokeToken"


async def test_tokens_are_in_no_export(guarded: Guarded) -> None:
    async with guarded.client("viewer") as viewer:
        kinds = {type(each).__name__ async for each in viewer.export()}
    assert "Token" not in kinds
    fields = bundle_pb2.BundleItem.DESCRIPTOR.fields
    assert "token" not in {field.name for field in fields}


async def test_no_log_has_a_token_or_what_is_kept_of_one(guarded: Guarded) -> None:
    new = await guarded.new_token("quiet", "viewer")
    async with Client(guarded.first.address, token=new.text) as client:
        await client.control_units.ListControlUnits(READ)
    async with Client(guarded.first.address, token=f"{new.text[:-4]}0000") as client:
        await refusal(client.control_units.ListControlUnits(READ))
    await until(lambda: '"quiet"' in guarded.logs(), within=5, what="a line of the log")
    logs = guarded.logs()
    for text in (*guarded.texts.values(), new.text):
        assert text[17:] not in logs
    assert new.sha256 not in logs
