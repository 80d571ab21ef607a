"""Who stands at the gate of every call, on whichever wire it comes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from metadata_server.domain.change import Principal
from metadata_server.domain.refused import Refused


class Stream(Protocol):
    """A call that lasts, and may be ended from elsewhere."""

    @property
    def refused(self) -> Refused | None:
        """Why it was ended; None: it was not."""


class Gate(Protocol):
    """Says who calls, and whether they may.

    Methods are named like `ControlUnits.GetControlUnit`.
    """

    async def admit(self, method: str, metadata: Mapping[str, str], *, size: int = 0) -> Principal:
        """
        Args:
            size: of what is kept while it is asked whose call it is, bytes.

        Raises:
            Refused: UNAUTHENTICATED, ROLE_REQUIRED; TOO_BUSY, where too many wait to be known.
        """
        ...

    def check(self, method: str, principal: Principal) -> None:
        """
        Raises:
            Refused: ROLE_REQUIRED.
        """

    def streaming(self, principal: Principal) -> AbstractContextManager[Stream]:
        """The present task is a call of theirs that lasts.

        Raises:
            Refused: UNAUTHENTICATED, when their token has ended just now.
        """
        ...
