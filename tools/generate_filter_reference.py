"""Makes the reference of the filter language out of its table of keys.

`python tools/generate_filter_reference.py` writes docs/reference/filter.md; with `--check` it writes
nothing, and fails where that is not current.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from metadata_server.domain.filter.key import FilterKey, ValueKind
from metadata_server.domain.filter.vocabulary import VOCABULARIES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "filter.md"
HEAD = """# Filters

Made from the keys in [metadata_server/domain/filter](../../metadata_server/domain/filter/) by
`python tools/generate_filter_reference.py`; change those, not this. How to write a filter: see
[find what you look for](../how-to/filter.md).

- *indexed*: a page is found by it without reading all; *sortable*: `order_by` takes it, with ` desc` for the
  opposite order.
- *now*: only the present knows it: lists as of a moment refuse it. *no watch*: a watch of this kind refuses it.
"""
KINDS = {
    ValueKind.TEXT: "text",
    ValueKind.WORD: "word",
    ValueKind.PLACE: "groups",
    ValueKind.NUMBER: "number",
    ValueKind.TIME: "time",
    ValueKind.FLAG: "flag",
}


def page() -> str:
    return "\n".join([HEAD, *lines()])


def lines() -> Iterator[str]:
    for vocabulary in VOCABULARIES.values():
        yield f"## {vocabulary.plural.capitalize()}\n"
        yield "| key | is | asks for | example | |"
        yield "|---|---|---|---|---|"
        yield from map(row, vocabulary.keys.values())
        yield ""


def row(key: FilterKey) -> str:
    marks = {
        "indexed": key.is_indexed,
        "sortable": key.is_sortable,
        "now": not key.is_past,
        "no watch": not key.is_watched,
    }
    told = ", ".join(mark for mark, holds in marks.items() if holds)
    meaning = key.meaning
    if key.words:
        meaning += f": {', '.join(key.words)}"
    kind = f"{KINDS[key.kind]}, many" if key.is_many else KINDS[key.kind]
    return f"| `{key.name}` | {kind} | {meaning} | `{key.example}` | {told} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if not current")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        sys.exit(f"{PAGE.name} is not current. Run: make generate")


if __name__ == "__main__":
    main()
