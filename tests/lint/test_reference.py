"""The reference of the protocol leads where it says, and leaves nothing out."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference" / "protocol"
PAGES = sorted(FOLDER.glob("*.md"))
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")


def anchors(path: Path) -> set[str]:
    """What a link into a page can name: its headings, as pages on the web spell them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(page.read_text()):
        path = (FOLDER / target).resolve()
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(f"{target}#{anchor}")
    assert not broken


@pytest.mark.parametrize(
    "proto", sorted((ROOT / "proto/mds/v1").glob("*.proto")), ids=lambda p: p.stem
)
def test_every_call_field_and_value_is_there(proto: Path) -> None:
    text = (FOLDER / f"{proto.stem}.md").read_text()
    file: Any = importlib.import_module(f"mds.v1.{proto.stem}_pb2").DESCRIPTOR
    calls = [
        f"### {service.name}.{method.name}\n"
        for service in file.services_by_name.values()
        for method in service.methods
    ]
    fields = [
        f"| `{field.name}` |"
        for message in file.message_types_by_name.values()
        for field in message.fields
    ]
    values = [
        f"| `{value.name}` | {value.number} |"
        for enum in file.enum_types_by_name.values()
        for value in enum.values
    ]
    assert not [each for each in (*calls, *fields, *values) if each not in text]
