"""Jinja2, set up once: everything escaped, nothing undefined, templates from this package."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from webui import translation, vocabulary
from webui.navigation import NAVIGATION
from webui.visit import current_visit

# A space that numbers are grouped with and lines never break at.
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("webui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    # The extension adds this method; types do not know it.
    vars(made)["install_gettext_callables"](translation._, translation.ngettext, newstyle=True)
    made.filters["count"] = grouped
    made.globals["unknown"] = vocabulary.health(0)
    made.globals["navigation"] = NAVIGATION
    made.globals["visit"] = current_visit
    return made


def grouped(number: int) -> str:
    """A count as people read it: `9999`, `10 000`."""
    return str(number) if number < 10_000 else f"{number:,}".replace(",", _NARROW_SPACE)
