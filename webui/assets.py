"""Style sheets and scripts: read and compressed once, kept by browsers for ever.

Their path names what all of them contain, `/static/{digest}/page.css`, so a new version of the
page never meets a style or a script of an old one, and a module finds its neighbours by `./`.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web

_FOR_EVER = "public, max-age=31536000, immutable"
# What these are is not left to the machine's own table.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, plain and compressed."""

    content: bytes
    compressed: bytes
    type: str


class NotBuilt(Exception):
    """What the page takes from npm is not there: this tree was never built nor installed."""


class Assets:
    """All files of `webui/static`."""

    def __init__(self, by_path: Mapping[str, Asset]) -> None:
        self._by_path = by_path
        digest = hashlib.sha256()
        for path, asset in sorted(by_path.items()):
            digest.update(f"{path}\0{len(asset.content)}\0".encode() + asset.content)
        self.digest = digest.hexdigest()[:12]

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._by_path)

    def url(self, path: str) -> str:
        """Where a browser finds a file; a typing error in a template fails at once."""
        if path not in self._by_path:
            raise KeyError(f"there is no {path!r} in webui/static")
        return f"/static/{self.digest}/{path}"

    async def serve(self, request: web.Request) -> web.Response:
        """`GET /static/{digest}/{path}`, or without the digest, and then not kept."""
        first, _, rest = request.match_info["path"].partition("/")
        is_named = first == self.digest
        asset = self._by_path.get(rest if is_named else request.match_info["path"])
        if asset is None:
            raise web.HTTPNotFound
        headers = {"Vary": "Accept-Encoding", "Content-Type": asset.type}
        if is_named:
            headers["Cache-Control"] = _FOR_EVER
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=asset.compressed, headers=headers)
        return web.Response(body=asset.content, headers=headers)


def read_assets() -> Assets:
    """
    Raises:
        NotBuilt: `tools/web_assets.py`, which every build runs, has not been run.
    """
    static = files("webui") / "static"
    if not (static / "vendor" / "made-for.txt").is_file():
        raise NotBuilt("webui/static/vendor is missing; `make setup` brings it.")
    return Assets(dict(_read(static, "")))


def _read(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _read(entry, f"{prefix}{entry.name}/")
        else:
            content = entry.read_bytes()
            # Without a time in it: equal files are equal bytes.
            compressed = gzip.compress(content, 9, mtime=0)
            found.append((f"{prefix}{entry.name}", Asset(content, compressed, _type(entry.name))))
    return found


def _type(name: str) -> str:
    suffix = f".{name.rpartition('.')[2]}"
    guessed = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed
