"""Tokens on the wire; never their text, and not what is kept of it."""

from __future__ import annotations

from mds.v1 import token_pb2

from metadata_server.api.messages.enums import ROLES, TOKEN_STATES
from metadata_server.api.messages.position import time_message
from metadata_server.api.messages.reading import Reading
from metadata_server.domain.access.role import Role
from metadata_server.domain.access.token import COLLECTION, Token
from metadata_server.services.access.tokens import Told


def token_message(told: Told) -> token_pb2.Token:
    token = told.token
    return token_pb2.Token(
        name=token.name,
        principal=token.principal,
        role=ROLES.number[token.role],
        program=token.program,
        state=TOKEN_STATES.number[token.state(told.now_us)],
        create_time=time_message(token.create_time_us),
        author=token.author,
        reason=token.reason,
        expire_time=time_message(token.expire_time_us),
        revoke_time=time_message(token.revoke_time_us),
        revoker=token.revoker,
        revoke_reason=token.revoke_reason,
        last_use_time=time_message(token.last_use_time_us),
    )


def token_of(message: token_pb2.Token) -> Token:
    """What a caller wants to be a token.

    Raises:
        Refused: INVALID_FIELD.
    """
    reading = Reading()
    role = reading.member(ROLES, message.role, "role", Role.VIEWER)
    reading.finish()
    has_end = message.HasField("expire_time")
    return Token(
        id=message.name.removeprefix(f"{COLLECTION}/"),
        hash=message.sha256,
        principal=message.principal,
        role=role,
        program=message.program,
        # One at the very beginning of time is in the past, and not none.
        expire_time_us=message.expire_time.ToMicroseconds() or 1 if has_end else 0,
    )
