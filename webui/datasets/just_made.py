"""The change that led to a page (`?saved=120`): told to who made it, and only soon after."""

import asyncio
from datetime import UTC, datetime, timedelta

from aiohttp import web
from mds.v1.history_pb2 import ChangeSet, GetChangeSetRequest

from control_units.client import ClientError
from webui.site import READ_SECONDS, Site
from webui.visit import current_visit

# Clocks of the page and of the database may differ; a link that is followed later tells nothing.
RECENT = timedelta(minutes=10)


async def just_made(site: Site, request: web.Request, word: str) -> int:
    """The number of the change set that an address has under a word; 0: it has none, or one that
    whoever asks has not just made. An address can be written by anybody, and the note of a change
    has a button that takes it back."""
    text = request.query.get(word, "")
    is_number = text.isascii() and text.isdecimal() and len(text) < 19
    if site.is_past or not is_number or not int(text):
        return 0
    name = f"change_sets/{int(text)}"
    try:
        async with asyncio.timeout(READ_SECONDS):
            found = await site.client.history.GetChangeSet(GetChangeSetRequest(name=name))
    except (ClientError, TimeoutError):
        return 0
    return int(text) if is_of_now(found) else 0


def is_of_now(change_set: ChangeSet) -> bool:
    """Whether whoever asks has made it, some minutes ago at most."""
    age = abs(datetime.now(UTC) - change_set.time.ToDatetime(tzinfo=UTC))
    return change_set.author == current_visit().person.name and age < RECENT
