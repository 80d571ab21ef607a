"""What somebody wants to take in: a text that comes with the form, and goes back with the page.

The page keeps nothing between the plan and what is done: any other one could do it.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from control_units.importers.json_text import Broken
from control_units.importers.tables.records import text_of
from webui.translation import _

MOST_BYTES = 8 * 1024 * 1024
# What is larger is not shown to be mended in the page, and travels packed.
MOST_SHOWN = 200_000


class CannotTake(Exception):
    """What was sent is no document; the text says why, for people."""


class TooLarge(CannotTake):
    """It is more than a page can take."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text, with `\\n` between its lines, as browsers send any others in forms.

    Attributes:
        name: of the file; empty: it was pasted.
    """

    name: str
    text: str

    @property
    def is_shown(self) -> bool:
        return len(self.text) <= MOST_SHOWN

    @property
    def mark(self) -> str:
        """Tells it from others, so that a draft is never laid over another document."""
        return f"{zlib.crc32(self.data):08x}" if self.text else ""

    @property
    def packed(self) -> str:
        """To travel in a page; empty where the text itself does."""
        if self.is_shown:
            return ""
        return base64.b64encode(zlib.compress(self.text.encode(), 6)).decode()

    @property
    def data(self) -> bytes:
        return self.text.encode()


def document_in(posted: Mapping[str, object]) -> Document:
    """What a form carries: a file that was chosen, else what stands in it, else what is packed.

    Raises:
        CannotTake: it carries nothing that is text.
    """
    file = posted.get("file")
    if isinstance(file, web.FileField) and file.filename:
        file.file.seek(0)
        return Document(file.filename[-200:], _plain(_decoded(file.file.read())))
    name = str(posted.get("name", ""))
    text = posted.get("text")
    if isinstance(text, str) and text.strip():
        if "\0" in text:
            raise CannotTake(_("The character U+0000 is not text."))
        return Document(name, _plain(text))
    if packed := str(posted.get("packed", "")):
        return Document(name, _unpacked(packed))
    raise CannotTake(_("Paste something, or choose a file."))


def typed_in(fields: Mapping[str, str]) -> Document:
    """What a form carries besides a file that cannot be taken, or what it carries that cannot: nobody
    shall type it again."""
    try:
        return document_in(fields)
    except CannotTake:
        text = fields.get("text", "").replace("\0", "\ufffd")
        return Document(fields.get("name", ""), _lines(text))


def put_aside(fields: Mapping[str, str], document: Document) -> str:
    """What somebody has typed where a file has taken its place since: now, or some pages ago."""
    typed = _lines(fields.get("text", ""))
    is_typed = bool(typed.strip()) and Document("", typed).mark != fields.get("drawn", "")
    return typed if is_typed and typed != document.text else _lines(fields.get("aside", ""))


def without_files(posted: Mapping[str, object]) -> dict[str, str]:
    """What was sent as fields that a page can carry, the chosen file among them as a text.

    A file that is none is left out: it would be refused anyway.
    """
    fields = {name: value for name, value in posted.items() if isinstance(value, str)}
    if not any(isinstance(value, web.FileField) for value in posted.values()):
        return fields
    try:
        document = document_in(posted)
    except CannotTake:
        return fields
    content = {"packed": document.packed} if document.packed else {"text": document.text}
    return {**fields, "text": "", "name": document.name, **content}


def _decoded(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise TooLarge(too_large())
    try:
        return text_of(data)
    except Broken as broken:
        raise CannotTake(_("The file cannot be read: %(why)s") % {"why": broken}) from None


def _unpacked(packed: str) -> str:
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(base64.b64decode(packed, validate=True), MOST_BYTES)
        if unpacking.unconsumed_tail:
            raise TooLarge(too_large())
        unpacking.flush()
        text = data.decode()
    except (binascii.Error, zlib.error, ValueError):
        text = ""
    if not (text and unpacking.eof):
        raise CannotTake(_("The page was sent without its file: choose it again."))
    return text


def _plain(text: str) -> str:
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise TooLarge(too_large())
    return _lines(text)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def too_large() -> str:
    return _("This page takes at most %(most)s MB at a time. “mds apply FILE” takes more.") % {
        "most": MOST_BYTES // 1024 // 1024
    }
