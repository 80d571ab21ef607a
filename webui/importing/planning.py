"""From a document to a plan, and to just that being done."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mds.v1.bundle_pb2 import (
    ApplyProgress,
    BundleHeader,
    BundleItem,
    OnConflict,
    Problem,
    SeenPlan,
)
from mds.v1.control_unit_pb2 import ControlUnit

from control_units.client import Client
from control_units.client.bundles import Outcome, apply_bundle
from control_units.client.finding import find_control_units
from control_units.importers.any_file import Content, is_table, read_any
from control_units.importers.apply import without_oversized
from control_units.importers.findings import Reading
from control_units.importers.overtaken import TRIES, Overtaken, refuse_overtaken
from webui.datasets.bulk import WRITE_SECONDS
from webui.importing.document import Document, TooLarge
from webui.importing.meant import meant_instead
from webui.planning import LOOKED_AT
from webui.site import READ_SECONDS
from webui.translation import _, grouped

MOST_RESOURCES = 10_000
# In a table, the heads and cells of several lines among them.
_MOST_LINES = 3 * MOST_RESOURCES
# At least, of units by their names.
_FOUND_PER_SECOND = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is to be taken.

    Attributes:
        skips_invalid: what has problems is left out.
        keeps_existing: what is there already stays as it is.
    """

    reason: str
    skips_invalid: bool = False
    keeps_existing: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """What a document comes to.

    Attributes:
        items: by their places in it.
        outcome: what the server says; None: there is nothing to ask it about.
        problems: of the document and of the server, with their places in it.
        meant: the id that was perhaps meant, by a name that nothing has.
    """

    content: Content
    items: Mapping[str, BundleItem]
    outcome: Outcome | None
    problems: Sequence[Problem]
    meant: Mapping[str, str] = field(default_factory=dict)

    @property
    def touched(self) -> int:
        """How many resources become different, come or go."""
        if self.outcome is None:
            return 0
        summary = self.outcome.summary
        return summary.created + summary.changed + summary.removed


async def read_document(document: Document) -> Content:
    """
    Raises:
        TooLarge: it is more than a page can show.
    """
    data = document.data
    count = document.text.count("\n")
    if count <= _MOST_LINES or not is_table(document.name, data):
        content = await asyncio.to_thread(read_any, document.name, data)
        count = len(content.reading.items) + len(content.names)
        if count <= MOST_RESOURCES:
            return content
    message = _(
        "%(count)s things are more than this page takes at a time, which is %(most)s. "
        "“mds apply FILE” takes more."
    )
    raise TooLarge(message % {"count": grouped(count), "most": grouped(MOST_RESOURCES)})


async def planned(client: Client, content: Content, wish: Wish) -> Planned:
    """What would be done, without what has problems. Nothing is written.

    Raises:
        ClientError: what the server says, or that none answers.
        TimeoutError: it says nothing.
    """
    header = _header(wish, validate_only=True, skip_invalid=True)
    for _try in range(TRIES):
        current, reading, items = await _laid_over(client, content)
        if not items:
            return Planned(content, {}, None, reading.findings.problems)
        outcome = await _sent(client, items, header)
        try:
            refuse_overtaken(outcome, content.names, current)
        except Overtaken:
            continue
        break
    problems = [*reading.findings.problems, *reading.located(outcome.problems)]
    by_place = {item.source: item for item in items}
    meant = await meant_instead(client, problems)
    return Planned(content, by_place, outcome, problems, meant)


async def carried_out(
    client: Client, content: Content, wish: Wish, *, seen: SeenPlan, request_id: str
) -> Outcome | None:
    """Does just what was seen; None where the document has problems that nobody wants left out.

    Raises:
        Stale: it is no longer what would happen.
        ClientError: what the server says, or that none answers.
        TimeoutError: it says nothing.
    """
    _current, reading, items = await _laid_over(client, content)
    if not items or (reading.findings.problems and not wish.skips_invalid):
        return None
    header = _header(wish, validate_only=False, skip_invalid=wish.skips_invalid)
    header.request_id = request_id
    header.seen_plan.CopyFrom(seen)
    return await _sent(client, items, header)


async def _laid_over(
    client: Client, content: Content
) -> tuple[Mapping[str, ControlUnit], Reading, list[BundleItem]]:
    """What a document comes to over the units that are there now."""
    async with asyncio.timeout(READ_SECONDS + len(content.names) / _FOUND_PER_SECOND):
        current = await find_control_units(client, content.names)
    reading = await asyncio.to_thread(content.over, current)
    return current, reading, without_oversized(reading.items, reading.findings)


async def _sent(client: Client, items: Sequence[BundleItem], header: BundleHeader) -> Outcome:
    return await apply_bundle(client, items, header, progress=_say_nothing, timeout=WRITE_SECONDS)


def _say_nothing(_progress: ApplyProgress) -> None:
    pass


def _header(wish: Wish, *, validate_only: bool, skip_invalid: bool) -> BundleHeader:
    on_conflict = (
        OnConflict.ON_CONFLICT_SKIP if wish.keeps_existing else OnConflict.ON_CONFLICT_REPLACE
    )
    return BundleHeader(
        reason=wish.reason or (LOOKED_AT if validate_only else ""),
        validate_only=validate_only,
        on_conflict=on_conflict,
        skip_invalid=skip_invalid,
    )
