"""Tokens in tables."""

from typing import TYPE_CHECKING

from control_units.cli.output.writing import Shape
from control_units.cli.times import shown
from control_units.client.words import word_of

if TYPE_CHECKING:
    from mds.v1.token_pb2 import Token

_HEADERS = ("id", "name", "role", "for", "state", "expires", "last used", "created", "by", "why")


def _row(token: "Token") -> tuple[str, ...]:
    from mds.v1.access_pb2 import Role
    from mds.v1.token_pb2 import TokenState

    return (
        token.name.removeprefix("tokens/"),
        token.principal,
        word_of(Role, token.role).lower(),
        "programs" if token.program else "",
        word_of(TokenState, token.state).lower(),
        shown(token.expire_time) or "never",
        shown(token.last_use_time) or "never",
        shown(token.create_time),
        token.author,
        token.reason,
    )


SHAPE: "Shape[Token]" = Shape(_HEADERS, _row, ("created", "by", "why"), ("why",))
