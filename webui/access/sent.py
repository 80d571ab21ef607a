"""What the log-in page sends: the token first, and last what was typed before, which may be much."""

from urllib.parse import parse_qsl

from aiohttp import web

_CHUNK_BYTES = 64 * 1024


class Sent:
    """A form that is read as far as whoever sends it is known."""

    def __init__(self, request: web.Request) -> None:
        self._content = request.content
        self._body = bytearray()
        self._is_whole = False

    @property
    def is_whole(self) -> bool:
        """Nothing is left to be read."""
        return self._is_whole

    @property
    def fields(self) -> dict[str, str]:
        """Those that have been read to their end."""
        end = len(self._body) if self._is_whole else max(0, self._body.rfind(b"&"))
        text = self._body[:end].decode(errors="replace")
        return dict(parse_qsl(text, keep_blank_values=True))

    async def read(self, most: int) -> None:
        """Reads on, but no more than so many bytes in all."""
        while not self._is_whole and len(self._body) < most:
            chunk = await self._content.read(min(_CHUNK_BYTES, most - len(self._body)))
            self._body += chunk
            self._is_whole = not chunk
