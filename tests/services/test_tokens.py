"""Tokens in the database, and as a replica remembers them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event, update

from metadata_server.domain.access.role import Role
from metadata_server.domain.access.token import HOUR_US, Token, hash_of, text_of
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.facility import Policy, Variable
from metadata_server.domain.refused import Refused
from metadata_server.services.access.keyring import Keyring
from metadata_server.services.access.tokens import Tokens
from metadata_server.services.intent.resources import Resources
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.access.token_table import token as table
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.waiting import until

Call = Callable[..., Caller]
TEXT = text_of("a" * 12, "1" * 64)


def wanted(letter: str = "a", principal: str = "anna", expire_time_us: int = 0) -> Token:
    return Token(
        id=letter * 12,
        hash=hash_of(text_of(letter * 12, "1" * 64)),
        principal=principal,
        role=Role.VIEWER,
        expire_time_us=expire_time_us,
    )


@asynccontextmanager
async def a_keyring(store: Store) -> AsyncIterator[Keyring]:
    tailer = Tailer(store)
    keyring = Keyring(store, tailer)
    tasks = [asyncio.create_task(each.run()) for each in (tailer, keyring)]
    try:
        yield keyring
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_repeated_creation_is_answered_as_the_first(store: Store, call: Call) -> None:
    tokens = Tokens(store)
    caller = call(request_id="r1")
    first = (await tokens.create(caller, wanted(), validate_only=False)).value
    again = (await tokens.create(caller, wanted(), validate_only=False)).value
    assert first.token == again.token
    assert (first.token.author, first.token.reason) == ("tester", "a test")
    with pytest.raises(Refused, match="ALREADY_EXISTS"):
        await tokens.create(call(), wanted(), validate_only=False)


async def test_a_try_writes_nothing(store: Store, call: Call) -> None:
    tokens = Tokens(store)
    await tokens.create(call(), wanted(), validate_only=True)
    with pytest.raises(Refused, match="TOKEN_NOT_FOUND"):
        await tokens.get("a" * 12)
    await tokens.create(call(), wanted(), validate_only=False)
    await tokens.revoke(call(), "a" * 12, validate_only=True)
    assert (await tokens.get("a" * 12)).value.token.revoke_time_us == 0


async def test_a_token_that_is_revoked_stays_as_it_is(store: Store, call: Call) -> None:
    tokens = Tokens(store)
    await tokens.create(call(), wanted(), validate_only=False)
    first = await tokens.revoke(call(reason="lost"), "a" * 12, validate_only=False)
    again = await tokens.revoke(call(reason="twice"), "a" * 12, validate_only=False)
    assert first.value.token == again.value.token
    assert again.value.token.revoke_reason == "lost"


async def test_pages_go_from_the_newest_to_the_oldest(store: Store, call: Call) -> None:
    tokens = Tokens(store)
    for letter in "abcde":
        await tokens.create(call(), wanted(letter), validate_only=False)
    await tokens.create(call(), wanted("f", principal="bob"), validate_only=False)
    await tokens.revoke(call(), "c" * 12, validate_only=False)
    found, token = "", ""
    while True:
        page = await tokens.page(principal="anna", active_only=True, size=2, token=token)
        found += "".join(each.token.id[0] for each in page.value.tokens)
        if not (token := page.value.next_page_token):
            break
    assert found == "edba"
    with pytest.raises(Refused, match="INVALID_PAGE_TOKEN"):
        await tokens.page(principal="", active_only=False, size=2, token="e30")


async def test_a_known_token_costs_no_question_to_the_database(store: Store, call: Call) -> None:
    await Tokens(store).create(call(), wanted(), validate_only=False)
    statements: list[str] = []

    def note(_1: object, _2: object, statement: str, *_: object) -> None:
        statements.append(statement)

    async with a_keyring(store) as keyring:
        await keyring.token_of(TEXT)
        event.listen(store.database.reading, "before_cursor_execute", note)
        for _ in range(100):
            assert (await keyring.token_of(TEXT)).principal == "anna"
        event.remove(store.database.reading, "before_cursor_execute", note)
    assert not [each for each in statements if "token" in each]


async def test_an_unknown_token_is_looked_for_once_more(store: Store, call: Call) -> None:
    async with a_keyring(store) as keyring:
        with pytest.raises(Refused, match="not known here"):
            await keyring.token_of(TEXT)
        await Tokens(store).create(call(), wanted(), validate_only=False)
        assert (await keyring.token_of(TEXT)).id == "a" * 12
        with pytest.raises(Refused, match="not known here"):
            await keyring.token_of(TEXT[:-1] + "2")


async def test_a_stream_is_ended_with_its_token_and_no_other(store: Store, call: Call) -> None:
    tokens = Tokens(store)
    for letter in "ab":
        await tokens.create(call(), wanted(letter), validate_only=False)
    begun: set[str] = set()
    ended: dict[str, str] = {}

    async def lasting(keyring: Keyring, letter: str) -> None:
        await keyring.token_of(text_of(letter * 12, "1" * 64))
        with keyring.streaming(letter * 12) as stream:
            begun.add(letter)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended[letter] = stream.refused.reason if stream.refused else "called off"
                raise

    async with a_keyring(store) as keyring:
        tasks = {each: asyncio.create_task(lasting(keyring, each)) for each in "ab"}
        await until(lambda: len(begun) == 2, within=5, what="both streams")
        # Another change in between: what is known is replaced, and the streams stay.
        wish = Variable(id="v", value="1")
        await Resources(store).create(call(), wish, validate_only=False)
        await tokens.revoke(call(), "a" * 12, validate_only=False)
        await until(lambda: "a" in ended, within=5, what="the end of the stream")
        assert ended == {"a": "UNAUTHENTICATED"}
        tasks["b"].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert ended["b"] == "called off"


async def test_only_the_clock_of_the_database_decides_when_a_token_ends(
    store: Store, call: Call
) -> None:
    now_us = (await store.read(lambda unit: unit.now_us)).value
    token = wanted(expire_time_us=now_us + HOUR_US)
    await Tokens(store).create(call(), token, validate_only=False)
    async with a_keyring(store) as keyring:
        assert (await keyring.token_of(TEXT)).id == token.id

        def end(unit: UnitOfWork) -> None:
            unit.claim()
            unit.connection.execute(update(table).values(expire_time_us=unit.now_us - 1))

        await store.transact(end)

        async def is_over() -> bool:
            try:
                await keyring.token_of(TEXT)
            except Refused as refused:
                return "has expired" in refused.message
            return False

        await until(is_over, within=5, what="the end of a token")


async def test_use_is_taken_down_by_the_hour(store: Store, call: Call) -> None:
    tokens = Tokens(store)
    await tokens.create(call(), wanted(), validate_only=False)
    position = (await store.read(lambda unit: unit.position)).value

    async def last_use_us() -> int:
        return (await tokens.get("a" * 12)).value.token.last_use_time_us

    assert await last_use_us() == 0
    async with a_keyring(store) as keyring:
        await keyring.token_of(TEXT)

        async def is_told() -> bool:
            return await last_use_us() > 0

        await until(is_told, within=5, what="the hour of the last use")
    assert await last_use_us() % HOUR_US == 0
    assert (await store.read(lambda unit: unit.position)).value == position


async def test_policies_are_changed_by_admins_alone(store: Store, call: Call) -> None:
    expert = replace(call(), principal=Principal("eve", authenticated=True, role=Role.EXPERT))
    wish = Policy(id="p", requires_reason=True)
    with pytest.raises(Refused, match="ROLE_REQUIRED"):
        await Resources(store).create(expert, wish, validate_only=False)
    await Resources(store).create(call(), wish, validate_only=False)
