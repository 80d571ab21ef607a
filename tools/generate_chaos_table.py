"""Writes the table of commands of !CHAOS into the how-to of those who come from it, from the same
table that the server answers by. `--check` writes nothing and fails where the page is not current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from metadata_server.api.chaos.command import Command
from metadata_server.api.chaos.commands import COMMANDS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "coming-from-chaos.md"
BEGIN, END = "<!-- commands: begin -->", "<!-- commands: end -->"
CALL = re.compile(r"((?:GET |POST |PATCH |DELETE )?/(?:v1|healthz)/[^\s,]*[^\s,:])")
SECTIONS = (
    ("### Read", lambda each: each.run is not None and not each.mutates),
    ("### Change, by POST and where `MDS_CHAOS_FACADE=write`", lambda each: each.mutates),
    ("### Not here, answered 501 with what to use instead", lambda each: each.run is None),
)


def table() -> str:
    """The table, with the marks around it."""
    lines = [BEGIN]
    for title, belongs in SECTIONS:
        lines += [title, "| !CHAOS | here | |", "|---|---|---|"]
        lines += rows([each for each in COMMANDS if belongs(each)])
        lines.append("")
    return "\n".join([*lines[:-1], END])


def rows(commands: Sequence[Command]) -> Iterator[str]:
    """A row for all commands that are the same but for their words."""
    same: dict[tuple[str, str, str], list[Command]] = {}
    for each in commands:
        same.setdefault((asked(each, "…"), each.here, each.note), []).append(each)
    for (_, here, note), found in same.items():
        words = " / ".join(dict.fromkeys(word_of(each) for each in found))
        marked = CALL.sub(r"`\1`", here)
        yield f"| `{asked(found[0], words)}` | {marked} | {note} |"


def word_of(command: Command) -> str:
    return command.cmd if command.of_units else command.what


def asked(command: Command, word: str) -> str:
    """How a client asks, with `word` for what differs among similar commands."""
    if command.of_units:
        return f"/CU?dev=…&cmd={word}" + ("&parm=…" if command.with_parm else "")
    type_ = f', type: "{command.type}"' if command.type else ""
    return f'/MDS?cmd={command.cmd}&parm={{what: "{word}"{type_}}}'


def main() -> None:
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    current = before + table() + after
    if "--check" in sys.argv[1:]:
        if current != text:
            sys.exit(f"{PAGE.name} is not current: run tools/generate_chaos_table.py")
        return
    PAGE.write_text(current)


if __name__ == "__main__":
    main()
