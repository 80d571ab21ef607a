"""Text of pages in another language than English."""

from collections.abc import Iterator
from gettext import NullTranslations

import pytest

from webui.rendering import environment
from webui.translation import LANGUAGE, _, ngettext


class Italian(NullTranslations):
    def gettext(self, message: str) -> str:
        return {"Hello %(name)s": "Ciao %(name)s", "Units": "Unità"}.get(message, message)


@pytest.fixture
def italian() -> Iterator[None]:
    token = LANGUAGE.set(Italian())
    yield
    LANGUAGE.reset(token)


def render(source: str, **values: object) -> str:
    return environment().from_string(source).render(values)


def test_text_stands_as_it_was_written_when_nobody_translates_it() -> None:
    assert render("{{ _('Units') }}") == "Units" == _("Units")
    counted = "{% trans count=n %}{{ count }} unit{% pluralize %}{{ count }} units{% endtrans %}"
    assert render(counted, n=3) == "3 units"
    assert ngettext("unit", "units", 1) == "unit"


@pytest.mark.usefixtures("italian")
def test_text_in_templates_and_modules_is_translated() -> None:
    assert render("{{ _('Units') }}") == "Unità" == _("Units")
    assert render("{{ _('Hello %(name)s', name=who) }}", who="you") == "Ciao you"


@pytest.mark.usefixtures("italian")
def test_a_translation_cannot_let_text_of_the_facility_become_markup() -> None:
    assert render("{{ _('Hello %(name)s', name=who) }}", who="<b>") == "Ciao &lt;b&gt;"
