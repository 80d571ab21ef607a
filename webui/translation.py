"""The language of the pages: one for the whole process, for all browsers share what is drawn live.

Text is written in English where it stands, as `_("…")`. Constants are marked by
`gettext_noop("…")` and looked up where they are shown, as `_(mark.word)`.
"""

from contextvars import ContextVar
from gettext import NullTranslations

_AS_WRITTEN = NullTranslations()
# A space that numbers are grouped with and lines never break at.
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
# Set once, where the process is put together; every task of it inherits it.
LANGUAGE: ContextVar[NullTranslations] = ContextVar("language", default=_AS_WRITTEN)


def _(text: str) -> str:
    return LANGUAGE.get().gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    return LANGUAGE.get().ngettext(one, many, count)


def gettext_noop(text: str) -> str:
    """Marks text that is looked up later."""
    return text


def grouped(number: int) -> str:
    """A count as people read it, in any language: `9999`, `10 000`."""
    return str(number) if number < 10_000 else f"{number:,}".replace(",", _NARROW_SPACE)
