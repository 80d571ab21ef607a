"""What came in."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.parameters import minimum_in


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
        return RestContext(self.http.headers, minimum_revision=minimum_in(self.raw_query))
