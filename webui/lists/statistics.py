"""How many things of a list there are by what they have: of those that pass, and of all. Each value
narrows the list to what has it."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mds.v1.filter_pb2 import CountMatchesRequest

from control_units.client import Client
from webui.lists.kind import ListKind, Tallied
from webui.lists.reading import all_of
from webui.lists.view import View
from webui.vocabulary import Mark

# Where a filter is more than terms one after the other, another is added behind parentheses.
_NOT_PLAIN = re.compile(r"[()]|\bOR\b")
_BARE = re.compile(r"[\w.@/+-]+")


@dataclass(frozen=True, slots=True)
class TallyRow:
    """One value.

    Attributes:
        count: of those that pass.
        total: of all.
        address: of the list of those that have it; of who has narrowed it so, of the list before.
    """

    mark: Mark
    count: int
    total: int
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class TallyTable:
    title: str
    rows: tuple[TallyRow, ...]


async def statistics(client: Client, kind: ListKind[Any], view: View) -> Sequence[TallyTable]:
    """Nothing of a list whose things are not counted.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    if not kind.tallied:
        return ()
    keys = [each.key for each in kind.tallied]

    async def counted(text: str) -> dict[tuple[str, str], int]:
        request = CountMatchesRequest(kind=kind.noun, filter=text, by=keys)
        reply = await client.filters.CountMatches(request)
        return {(each.key, each.value): each.count for each in reply.tallies}

    texts = dict.fromkeys((kind.base, all_of(view.q, kind.base)))
    found = await asyncio.gather(*map(counted, texts))
    return [_table(each, view, total=found[0], passing=found[-1]) for each in kind.tallied]


def _table(
    tallied: Tallied,
    view: View,
    *,
    total: Mapping[tuple[str, str], int],
    passing: Mapping[tuple[str, str], int],
) -> TallyTable:
    rows = []
    for (key, value), count in total.items():
        if key != tallied.key:
            continue
        narrowed, is_chosen = narrowed_by(view.q, key, value)
        address = view.filtered(narrowed).address()
        passes = passing.get((key, value), 0)
        rows.append(TallyRow(tallied.mark(value), passes, count, address, is_chosen))
    return TallyTable(tallied.title, tuple(rows))


def narrowed_by(q: str, key: str, value: str) -> tuple[str, bool]:
    """A filter with one more term; or, where it has just that term already, without it."""
    told = value if _BARE.fullmatch(value) else '"{}"'.format(re.sub(r'(["\\])', r"\\\1", value))
    term = f"{key}={told}"
    if not q:
        return term, False
    if _NOT_PLAIN.search(q):
        return f"({q}) {term}", False
    others = re.sub(rf'(?<!\S){key}=(?:"(?:[^"\\]|\\.)*"|[^\s"])+', "", q)
    others = " ".join(others.split()) if '"' not in others else others.strip()
    is_chosen = re.search(rf"(?<!\S){re.escape(term)}(?!\S)", q) is not None
    return (others if is_chosen else f"{others} {term}".strip()), is_chosen
