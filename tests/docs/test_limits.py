"""The page of limits says what the server holds to."""

import re
from pathlib import Path

from metadata_server.api.bundle import LARGEST_BUNDLE_BYTES
from metadata_server.api.chaos.form import LARGEST_FORM_BYTES
from metadata_server.api.rest.requests import LARGEST_BODY_BYTES
from metadata_server.api.rest.streams import SLOWEST_READER_S
from metadata_server.server import LARGEST_MESSAGE_BYTES
from metadata_server.services.watching.subscription import MOST_CHANGES_WAITING
from metadata_server.settings import Settings
from webui import arriving
from webui.crowd import COMING_FOR_EACH_PLACE
from webui.settings import Settings as PageSettings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "limits.md").read_text()
ROW = re.compile(r"^\| ([^|]+) \| `(MDS_[A-Z_]+)` \| ([^|]+) \|", re.MULTILINE)
FIXED = re.compile(r"^\| ([^|]+) \| none \| ([^|]+) \|", re.MULTILINE)
LIMITS = {
    name
    for name in Settings.model_fields
    if re.search(r"_per_|calls|watches|waiting|wait_s|_mb$|call_s|threads|connections|idle", name)
}


def test_each_limit_stands_there_with_its_default() -> None:
    fields = Settings.model_fields | PageSettings.model_fields
    told = {variable.removeprefix("MDS_").lower(): text for _, variable, text in ROW.findall(PAGE)}
    assert told.keys() >= LIMITS
    assert told == {name: str(fields[name].default) for name in told}


def test_what_cannot_be_set_is_as_it_says() -> None:
    assert LARGEST_MESSAGE_BYTES == LARGEST_BODY_BYTES
    assert [text for _, text in FIXED.findall(PAGE)] == [
        f"{LARGEST_BODY_BYTES // 2**20} MB",
        f"{LARGEST_FORM_BYTES // 2**10} kB",
        f"{LARGEST_BUNDLE_BYTES // 2**20} MB",
        f"{MOST_CHANGES_WAITING:,}",
        f"{COMING_FOR_EACH_PLACE} for each of `MDS_WEB_REQUESTS`",
        f"{SLOWEST_READER_S:g}",
        f"{arriving.PATIENCE_S:g}",
    ]
