"""Tokens as a table shows them. None of them has its text: no server knows it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.token_pb2 import Token, TokenState

from webui.access.person import role_word
from webui.clock import Moment, moment
from webui.names import id_of, page_of
from webui.translation import gettext_noop
from webui.vocabulary import Mark

_STATES = {
    TokenState.TOKEN_STATE_ACTIVE: Mark(gettext_noop("Good"), "good"),
    TokenState.TOKEN_STATE_EXPIRED: Mark(gettext_noop("Expired"), "none"),
    TokenState.TOKEN_STATE_REVOKED: Mark(gettext_noop("Revoked"), "lost"),
}
_UNKNOWN = Mark(gettext_noop("Unknown"), "unknown", "unknown")


@dataclass(frozen=True, slots=True)
class TokenRow:
    """
    Attributes:
        principal: who shows it.
        used: in which hour it was used last; None: it never was.
        end: until when it is good; None: until it is revoked.
        is_own: it is shown by whoever looks at the table.
    """

    id: str
    page: str
    principal: str
    role: str
    is_program: bool
    state: Mark
    is_good: bool
    author: str
    reason: str
    created: Moment
    used: Moment | None
    end: Moment | None
    revoker: str
    revoke_reason: str
    is_own: bool


def token_row(token: Token, *, own: str, today: datetime | None = None) -> TokenRow:
    """
    Args:
        own: name of the token of whoever asks; empty: they show none.
    """
    today = today or datetime.now(UTC)

    def at(stamp: Timestamp) -> Moment | None:
        return moment(stamp, today=today) if stamp.seconds else None

    return TokenRow(
        id=id_of(token.name),
        page=page_of(token.name),
        principal=token.principal,
        role=role_word(token.role),
        is_program=token.program,
        state=_STATES.get(token.state, _UNKNOWN),
        is_good=token.state == TokenState.TOKEN_STATE_ACTIVE,
        author=token.author,
        reason=token.reason,
        created=moment(token.create_time, today=today),
        used=at(token.last_use_time),
        end=at(token.expire_time),
        revoker=token.revoker,
        revoke_reason=token.revoke_reason,
        is_own=token.name == own,
    )
