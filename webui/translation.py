"""The language of the pages: one for the whole process, for all browsers share what is drawn live.

Text is written in English where it stands, as `_("…")`. Constants are marked by
`gettext_noop("…")` and looked up where they are shown, as `_(mark.word)`. The catalogues are in
`webui/locale`, compiled when the package is built (tools/catalogues.py).
"""

from contextvars import ContextVar
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

ENGLISH = "en"
_CATALOGUES = files("webui") / "locale"
_AS_WRITTEN = NullTranslations()
# A space that numbers are grouped with and lines never break at.
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
# Set once, where the process is put together; every task of it inherits it.
LANGUAGE: ContextVar[NullTranslations] = ContextVar("language", default=_AS_WRITTEN)


class NoSuchLanguage(ValueError):
    """There is no catalogue for it; the message names those that there are."""


def languages() -> tuple[str, ...]:
    """Those the pages can be shown in: `en`, and each that has a catalogue."""
    found = _CATALOGUES.iterdir() if _CATALOGUES.is_dir() else ()
    names = (file.name for file in found if file.name.endswith(".mo"))
    return (ENGLISH, *sorted(name.removesuffix(".mo") for name in names))


def speak(language: str) -> None:
    """Sets the language for the tasks that are begun from here on.

    Raises:
        NoSuchLanguage: there is no catalogue for it.
    """
    if language not in languages():
        raise NoSuchLanguage(f"there is no {language!r}; there are: {', '.join(languages())}")
    if language == ENGLISH:
        LANGUAGE.set(_AS_WRITTEN)
        return
    with (_CATALOGUES / f"{language}.mo").open("rb") as catalogue:
        LANGUAGE.set(GNUTranslations(catalogue))


def spoken() -> str:
    """The language as HTML names it."""
    return LANGUAGE.get().info().get("language", ENGLISH)


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
