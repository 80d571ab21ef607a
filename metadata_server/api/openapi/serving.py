"""Serves the document at /openapi.json and the page at /docs."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

from aiohttp import web

from metadata_server.api.rest.answers import COMMON, is_known, takes_gzip

JSON, HTML, SCRIPT, STYLE = "application/json", "text/html", "text/javascript", "text/css"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do: read from this server, and nothing else."""


@dataclass
class Served:
    """One file of the package, read when it is first asked for.

    Attributes:
        path: where it is served.
    """

    path: str
    file: str
    media_type: str

    @cached_property
    def content(self) -> bytes:
        return resources.files(__package__).joinpath(self.file).read_bytes()

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)

    @cached_property
    def etag(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:32]

    async def answer(self, request: web.Request) -> web.Response:
        charset = "" if self.media_type == JSON else "; charset=utf-8"
        headers = COMMON | {
            "Content-Type": self.media_type + charset,
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "no-referrer",
            "ETag": f'"{self.etag}"',
            "Vary": "Accept-Encoding",
        }
        if is_known(request, self.etag):
            return web.Response(status=304, headers=headers)
        if not takes_gzip(request):
            return web.Response(body=self.content, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=self.compressed, headers=headers)


def openapi_routes() -> list[web.RouteDef]:
    """Routes of the document and its page."""
    served = (
        Served("/openapi.json", "openapi.json", JSON),
        Served("/docs", "page/index.html", HTML),
        Served("/docs/page.js", "page/page.js", SCRIPT),
        Served("/docs/swagger-ui-bundle.js", "page/swagger-ui-bundle.js", SCRIPT),
        Served("/docs/swagger-ui.css", "page/swagger-ui.css", STYLE),
    )
    return [web.get(each.path, each.answer) for each in served]
