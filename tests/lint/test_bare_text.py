"""All text that people read at the pages can be translated."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lint.bare_text import bare_in_module, bare_in_script, bare_in_style, bare_in_template

WEBUI = Path(__file__).resolve().parents[2] / "webui"
CHECKS: dict[str, Callable[[str], list[str]]] = {
    ".html": bare_in_template,
    ".svg": bare_in_template,
    ".py": bare_in_module,
    ".js": bare_in_script,
    ".css": bare_in_style,
}
# What is neither read at a page nor in need of another language.
ELSEWHERE = {
    "commands.py": "on a command line",
    "figures.py": "by Prometheus",
    "server.py": "on a command line",
    "settings.py": "on a command line",
}
EXCEPTIONS = {
    "application.py": {"the metadata server does not answer\n"},  # to supervisors
    "assets.py": {"public, max-age=31536000, immutable"},
    "crowd.py": {"Refresh"},  # a header
    "refused.py": {"Allow"},  # a header
    "static/drafts.js": {"draft "},  # a key of the browser's store
}


def texts() -> list[Path]:
    return sorted(
        path
        for path in WEBUI.rglob("*")
        if path.suffix in CHECKS
        and not {"vendor", "node_modules"} & set(path.parts)
        and str(path.relative_to(WEBUI)) not in ELSEWHERE
    )


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(WEBUI)))
def test_no_text_is_out_of_the_catalogues_reach(path: Path) -> None:
    found = set(CHECKS[path.suffix](path.read_text()))
    bare = found - EXCEPTIONS.get(str(path.relative_to(WEBUI)), set())
    assert not bare, "write it as _(…), or mark a constant by gettext_noop"


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ("<p>{{ _('Units') }} {{ unit.id }}: 3</p>", []),
        ("{% trans n=2 %}{{ n }} unit{% pluralize %}{{ n }} units{% endtrans %}", []),
        ("<p class='note'>{{ row.id }} runs</p>", ["\N{OBJECT REPLACEMENT CHARACTER} runs"]),
        ("{{ n }} {{ 'unit' if n == 1 else 'units' }}", ["￼ unitunits￼"]),
        ('<b title="Its state">{{ x }}</b>', ["title='Its state'"]),
        ("<b class=\"{{ 'was' if old else 'now' }}\">{{ x }}</b>", []),
        ("<kbd>Ctrl</kbd> <script>let words = 1</script>", []),
    ],
)
def test_bare_text_in_a_template_is_found(source: str, bare: list[str]) -> None:
    assert bare_in_template(source) == bare


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ('"""Documentation of it."""\nx = _("Some text")', []),
        ('log.info("link lost", why="nobody answers")', []),
        ('title = "Some text"', ["Some text"]),
        ('text = f"{n} units are bad"', [" units are bad"]),
        ('Column("units", title="Units")', ["Units"]),
        ('path = "/control_units"; key = "state"', []),
    ],
)
def test_bare_text_in_a_module_is_found(source: str, bare: list[str]) -> None:
    assert bare_in_module(source) == bare


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ('say(word("ago", age)); // a comment of words', []),
        ('document.querySelector("main table tr").click()', []),
        ("say(`${n} units ago`)", ["${n} units ago"]),
    ],
)
def test_bare_text_in_a_script_is_found(source: str, bare: list[str]) -> None:
    assert bare_in_script(source) == bare
