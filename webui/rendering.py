"""Jinja2, set up once: everything escaped, nothing undefined, templates from this package."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from webui import translation, vocabulary
from webui.access.rights import allows
from webui.navigation import NAVIGATION
from webui.refusals import told
from webui.visit import current_visit


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
    made.filters["count"] = translation.grouped
    made.filters["told"] = told
    made.filters["facet"] = vocabulary.facet
    made.globals["unknown"] = vocabulary.health(0)
    made.globals["navigation"] = NAVIGATION
    made.globals["visit"] = current_visit
    made.globals["language"] = translation.spoken
    made.globals["allows"] = lambda method: allows(current_visit().person, method)
    return made
