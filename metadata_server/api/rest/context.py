"""What a REST call knows beside its request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from metadata_server.api.calls import (
    AUTHORIZATION,
    CLIENT,
    MINIMUM_REVISION,
    POSITION,
    PRINCIPAL,
    USER_AGENT,
    Pair,
)
from metadata_server.api.errors import code_of
from metadata_server.api.peers import FORWARDED_FOR
from metadata_server.api.request_ids import FORMER_REQUEST_ID, REQUEST_ID
from metadata_server.api.traces import SAID
from metadata_server.domain.refused import Refused, WrongField

TOLD = (
    AUTHORIZATION,
    PRINCIPAL,
    CLIENT,
    REQUEST_ID,
    FORMER_REQUEST_ID,
    MINIMUM_REVISION,
    USER_AGENT,
    *SAID,
)
"""Headers that say what gRPC's metadata of the same names says."""


class RestContext:
    """A `calls.Context`.

    Attributes:
        refused: how the call was refused; None: it was not, or not yet.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        *,
        peer: str = "",
        forwarded: str = "",
        minimum_revision: str = "",
    ) -> None:
        self._peer = peer
        self._pairs: list[Pair] = [
            (name, header_text(name, headers[name])) for name in TOLD if name in headers
        ]
        if minimum_revision:
            self._pairs.append((MINIMUM_REVISION, minimum_revision))
        if forwarded:
            self._pairs.append((FORWARDED_FOR, forwarded))
        self._trailing: tuple[Pair, ...] = ()
        self.refused: Refused | None = None

    def invocation_metadata(self) -> Iterable[Pair]:
        return self._pairs

    def peer(self) -> str:
        return self._peer

    def set_trailing_metadata(self, pairs: tuple[Pair, ...], /) -> None:
        self._trailing = pairs

    @property
    def position(self) -> str:
        """Of what was answered; empty: nothing has been, or it has none."""
        return next((str(value) for name, value in self._trailing if name == POSITION), "")

    def check(self) -> None:
        """
        Raises:
            Refused: how the call was refused.
        """
        if self.refused is not None:
            raise self.refused


def header_text(name: str, text: str) -> str:
    """
    Raises:
        Refused: INVALID_FIELD, for what is not UTF-8.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused.wrong_fields([WrongField(name, ascii(text), "UTF-8 text")]) from None
    return text


async def refuse(context: RestContext, refused: Refused) -> str:
    """Keeps the refusal, for the answer."""
    context.refused = refused
    return code_of(refused).name
