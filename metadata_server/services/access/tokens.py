"""What can be asked of tokens; one public method a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from metadata_server.domain.access.token import Token, no_such_token, token_faults
from metadata_server.domain.change import Caller
from metadata_server.domain.page import not_a_token, page_size
from metadata_server.domain.place import place_in, place_token
from metadata_server.domain.refused import Refused
from metadata_server.store import requests
from metadata_server.store.access.tokens import (
    add_token,
    token_of,
    tokens_after,
    write_revocation,
)
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

LIST = "tokens"


@dataclass(frozen=True, slots=True)
class Told:
    """A token, as it is told.

    Attributes:
        now_us: the database's clock, by which it is good or not.
    """

    token: Token
    now_us: int


@dataclass(frozen=True, slots=True)
class TokenPage:
    """Some tokens, the newest first."""

    tokens: Sequence[Told]
    next_page_token: str = ""


class Tokens:
    """Creates, tells and revokes tokens."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, id: str) -> Answer[Told]:
        """
        Raises:
            Refused: TOKEN_NOT_FOUND.
        """
        return await self._store.read(lambda unit: told(unit, id))

    async def page(
        self, *, principal: str, active_only: bool, size: int, token: str
    ) -> Answer[TokenPage]:
        """A page of tokens.

        Args:
            principal: only this name's; empty: all.

        Raises:
            Refused: INVALID_FIELD, INVALID_PAGE_TOKEN.
        """
        count = page_size(size)
        place = place_of(token) if token else []

        def work(unit: UnitOfWork) -> TokenPage:
            found = tokens_after(
                unit, place, principal=principal, active_only=active_only, limit=count + 1
            )
            shown, rest = found[:count], found[count:]
            last = shown[-1] if rest else None
            next_token = place_token(LIST, [last.create_time_us, last.id]) if last else ""
            return TokenPage([Told(each, unit.now_us) for each in shown], next_token)

        return await self._store.read(work)

    async def create(self, caller: Caller, wanted: Token, *, validate_only: bool) -> Answer[Told]:
        """Makes a token known.

        Raises:
            Refused: ALREADY_EXISTS, INVALID_ID, INVALID_FIELD, REQUEST_ID_REUSED.
        """

        def work(unit: UnitOfWork) -> Told:
            if not validate_only and requests.repeated(unit) is not None:
                return told(unit, wanted.id)
            return Told(created(unit, wanted, validate_only=validate_only), unit.now_us)

        return await self._store.transact(work, caller=caller)

    async def revoke(self, caller: Caller, id: str, *, validate_only: bool) -> Answer[Told]:
        """Ends a token for good; one that is revoked stays as it is.

        Raises:
            Refused: TOKEN_NOT_FOUND, REQUEST_ID_REUSED.
        """

        def work(unit: UnitOfWork) -> Told:
            if not validate_only and requests.repeated(unit) is not None:
                return told(unit, id)
            token = found_token(unit, id, lock=True)
            if validate_only:
                return Told(token, unit.now_us)
            if token.revoke_time_us:
                requests.forget(unit)
                return Told(token, unit.now_us)
            ended = replace(
                token,
                revoke_time_us=unit.claim().now_us,
                revoker=caller.principal.name,
                revoke_reason=caller.reason,
            )
            write_revocation(unit, ended)
            requests.remember(unit, {})
            return Told(ended, unit.now_us)

        return await self._store.transact(work, caller=caller)


def created(unit: UnitOfWork, wanted: Token, *, validate_only: bool = False) -> Token:
    """The token, written unless it is only tried.

    Raises:
        Refused: ALREADY_EXISTS, INVALID_ID, INVALID_FIELD.
    """
    faults = list(token_faults(wanted, unit.now_us))
    if faults:
        raise Refused.wrong_fields(faults)
    if token_of(unit, wanted.id) is not None:
        raise Refused.exists(f"There is a token {wanted.name}. Make another one.", name=wanted.name)
    caller = unit.caller
    assert caller is not None
    token = replace(
        wanted, create_time_us=unit.now_us, author=caller.principal.name, reason=caller.reason
    )
    if not validate_only:
        unit.claim()  # replicas see by the counter that there is something to read
        add_token(unit, token)
        requests.remember(unit, {})
    return token


def told(unit: UnitOfWork, id: str) -> Told:
    return Told(found_token(unit, id), unit.now_us)


def found_token(unit: UnitOfWork, id: str, *, lock: bool = False) -> Token:
    """Raises: Refused: TOKEN_NOT_FOUND."""
    token = token_of(unit, id, lock=lock)
    if token is None:
        raise no_such_token(f"tokens/{id}")
    return token


def place_of(token: str) -> list[int | str]:
    """Raises: Refused: INVALID_PAGE_TOKEN."""
    place = place_in(token, LIST)
    if len(place) != 2 or type(place[0]) is not int or type(place[1]) is not str:
        raise not_a_token(token)
    if not place[1].isascii():
        raise not_a_token(token)
    return place
