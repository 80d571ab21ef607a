"""What came in."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from metadata_server.api.peers import FORWARDED_FOR
from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.parameters import minimum_in
from metadata_server.api.rest.requests import weight_of


@dataclass(frozen=True, slots=True)
class Asked:
    """One HTTP request, and where in the protocol it goes."""

    http: web.Request
    raw_value: str

    @property
    def accept(self) -> str:
        return self.http.headers.get("Accept", "")

    @property
    def raw_query(self) -> str:
        return self.http.rel_url.raw_query_string

    def context(self) -> RestContext:
        return context_of(self.http, minimum_revision=minimum_in(self.raw_query))

    @property
    def size(self) -> int:
        """
        Raises:
            Refused: MESSAGE_TOO_LARGE.
        """
        return weight_of(self.http)


def context_of(http: web.Request, *, minimum_revision: str = "") -> RestContext:
    return RestContext(
        http.headers,
        peer=http.remote or "",
        forwarded=", ".join(http.headers.getall(FORWARDED_FOR, ())),
        minimum_revision=minimum_revision,
    )
