"""The texts of the web page for translators: `python tools/catalogues.py [--check | --compile]`.

Collects what stands in `_("…")` and `{% trans %}` into `webui/locale/messages.pot`, and brings the
catalogue of each language, `webui/locale/{language}.po`, up to it: what is new is empty there, what
is gone is taken out. `--check` only says what is missing. `--compile` makes the `.mo` files that the
page reads, as the build does; they are in no repository and in every wheel.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WEBUI = Path(__file__).resolve().parent.parent / "webui"
LOCALE = WEBUI / "locale"
TEMPLATE = LOCALE / "messages.pot"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
# As webui/rendering.py sets it up.
OPTIONS = {
    "templates/**.html": {
        "trim_blocks": "true",
        "lstrip_blocks": "true",
        "newstyle_gettext": "true",
        "silent": "false",
    }
}
KEYWORDS = DEFAULT_KEYWORDS | {"gettext_noop": None}
PROJECT = "control-system-metadata-server"
HEADER = "# Texts of the web page. Made by tools/catalogues.py."
# A date of its own would make each run another file.
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)


def collected() -> Catalog:
    """All texts of templates and modules, each with the files it stands in."""
    catalog = _empty()
    found = extract_from_dir(WEBUI, METHODS, OPTIONS, KEYWORDS, strip_comment_tags=True)
    for file, _line, text, _comments, context in sorted(found, key=lambda each: each[0]):
        catalog.add(text, None, [(f"webui/{file}", 0)], context=context)
    return catalog


def _empty() -> Catalog:
    return Catalog(
        project=PROJECT,
        version="1",
        copyright_holder=PROJECT,
        msgid_bugs_address=PROJECT,
        last_translator=PROJECT,
        language_team=PROJECT,
        creation_date=NO_DATE,
        revision_date=NO_DATE,
        header_comment=HEADER,
        charset="utf-8",
        fuzzy=False,
    )


def languages() -> dict[str, Path]:
    """The catalogues there are, by language: `de`, `it`."""
    return {path.stem: path for path in sorted(LOCALE.glob("*.po"))}


def read(path: Path, language: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write(path: Path, catalog: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalog, width=100, sort_output=True, include_lineno=False)


def update() -> None:
    """Brings the template and all catalogues up to what is written in the pages now."""
    template = collected()
    write(TEMPLATE, template)
    for language, path in languages().items():
        catalog = read(path, language)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        write(path, catalog)


def problems() -> Iterator[str]:
    """What is not up to date, or not translated, or wrongly."""
    wanted = {message.id for message in collected() if message.id}
    known = {message.id for message in read(TEMPLATE) if message.id}
    if wanted != known:
        changed = ", ".join(repr(id) for id in sorted(wanted ^ known, key=str)[:3])
        yield f"{TEMPLATE.name} is not up to date: make catalogues ({changed}, …)"
    for language, path in languages().items():
        catalog = read(path, language)
        has = {message.id for message in catalog if message.id and _is_translated(message)}
        for id in sorted(wanted - has, key=str):
            yield f"{path.name} does not translate {id!r}"
        for message, errors in catalog.check():
            yield from (f"{path.name}: {message.id!r}: {error}" for error in errors)


def _is_translated(message: Message) -> bool:
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(texts) and not message.fuzzy


def compile_all() -> None:
    for language, path in languages().items():
        with (LOCALE / f"{language}.mo").open("wb") as file:
            write_mo(file, read(path, language))


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        found = list(problems())
        print(*found, sep="\n", end="\n" if found else "")
        return 1 if found else 0
    if arguments == ["--compile"]:
        compile_all()
    else:
        update()
        compile_all()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
