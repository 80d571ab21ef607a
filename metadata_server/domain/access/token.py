"""Tokens: what people and programs show with their calls."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from metadata_server.domain.access.role import Role
from metadata_server.domain.refused import Refused, WrongField

COLLECTION = "tokens"
TEXT = re.compile(r"mds_([a-z0-9]{12})_[A-Za-z0-9_-]{43,128}")
"""A token. 43 characters are the fewest that 256 random bits can be written in."""
ID = re.compile(r"[a-z0-9]{12}")
HASH = re.compile(r"[0-9a-f]{64}")
LONGEST_PRINCIPAL = 255
CHANGES_TOKENS = ("Tokens.CreateToken", "Tokens.RevokeToken")
"""Methods whose change sets are told although they change nothing that has a history."""
HOUR_US = 3_600_000_000


class TokenState(StrEnum):
    """How a token stands."""

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Who shows it, what they may do, and whether it is good; never its text.

    Attributes:
        hash: SHA-256 of its text, in hexadecimal digits.
        principal: who shows it; several tokens may have the same.
        program: its bearer may register and report, whatever its role.
        author, reason: who created it, and why.
        expire_time_us: 0: never.
        revoke_time_us: 0: it is not revoked.
        last_use_time_us: the hour in which it was last used; 0: it never was.
    """

    id: str
    hash: str = field(repr=False)
    principal: str
    role: Role
    program: bool = False
    create_time_us: int = 0
    author: str = ""
    reason: str = ""
    expire_time_us: int = 0
    revoke_time_us: int = 0
    revoker: str = ""
    revoke_reason: str = ""
    last_use_time_us: int = 0

    @property
    def name(self) -> str:
        return f"{COLLECTION}/{self.id}"

    def state(self, now_us: int) -> TokenState:
        if self.revoke_time_us:
            return TokenState.REVOKED
        is_over = self.expire_time_us and self.expire_time_us <= now_us
        return TokenState.EXPIRED if is_over else TokenState.ACTIVE

    def is_text(self, text: str) -> bool:
        """Whether a text is this token's, in a time that does not tell how near it comes."""
        return hmac.compare_digest(self.hash, hash_of(text))


def hash_of(text: str) -> str:
    """What is kept of a token. A fast hash: 256 random bits cannot be guessed at any speed."""
    return hashlib.sha256(text.encode()).hexdigest()


def text_of(id: str, secret: str) -> str:
    return f"mds_{id}_{secret}"


def id_in(text: str) -> str:
    """The id in a token; empty: it is none."""
    found = TEXT.fullmatch(text)
    return found[1] if found else ""


def token_faults(token: Token, now_us: int) -> Iterator[WrongField]:
    """What is wrong with a token that is to be created."""
    if not ID.fullmatch(token.id):
        expected = f"{COLLECTION}/{{id}}, with 12 characters of a-z and 0-9"
        yield WrongField("name", token.name, expected, "INVALID_ID")
    size = len(token.principal)
    if not token.principal.strip() or size > LONGEST_PRINCIPAL or not token.principal.isprintable():
        expected = f"a name of 1 to {LONGEST_PRINCIPAL} printable characters"
        yield WrongField("principal", token.principal, expected)
    if not HASH.fullmatch(token.hash):
        # Without the value: somebody may have sent the token itself.
        yield WrongField(
            "sha256", "…", "64 hexadecimal digits, 0-9 and a-f, of the token's SHA-256"
        )
    if token.expire_time_us and token.expire_time_us <= now_us:
        yield WrongField("expire_time", "in the past", "a time to come, or none: never")


def id_of(name: str) -> str:
    """The id in the name of a token.

    Raises:
        Refused: TOKEN_NOT_FOUND.
    """
    head, _, id = name.partition("/")
    if head != COLLECTION or not ID.fullmatch(id):
        raise no_such_token(name)
    return id


def no_such_token(name: str) -> Refused:
    # Not more of it than a name has: somebody may have sent the token itself.
    short = name[:19]
    return Refused.not_found("TOKEN_NOT_FOUND", f"There is no token {short!r}.", name=short)
