"""Commands that come again with the same key, as nobody heard the first answer."""

import base64
from typing import Any

import pytest

from tests.chaos_facade.conftest import Dashboard
from tests.chaos_facade.facility import OTHER


async def changes_of(page: Dashboard, name: str) -> int:
    return len((await page.send("GET", f"/v1/changes?name={name}")).json["changes"])


async def test_a_command_of_several_names_is_done_once_for_each(page: Dashboard) -> None:
    names, key = ["AGAIN/A", "AGAIN/B"], {"Idempotency_Key": "several"}
    for what, changes in (("create", 1), ("del", 2)):
        for _ in range(2):
            told = await page.mds("node", key, what=what, type="us", names=names)
            assert (told.status, told.json) == (200, [{}, {}])
        for name in names:
            assert await changes_of(page, f"unit_servers/{name}") == changes


def script(text: str) -> dict[str, Any]:
    return {
        "script_name": "again.js",
        "eudk_script_content": base64.b64encode(text.encode()).decode(),
    }


def values(current: float) -> dict[str, Any]:
    return {"input": {"ndk_uid": OTHER, "current": current}}


SAVED: list[tuple[Any, ...]] = [
    ("script", "save", {}, script("old();"), script("corrected();"), "scripts/again.js"),
    ("snapshot", "set", {"name": "again"}, values(1.0), values(2.0), "snapshots/again"),
    ("variable", "set", {"name": "again"}, {"x": 1}, {"x": 2}, "variables/again"),
]


@pytest.mark.parametrize(("cmd", "what", "named", "mine", "corrected", "name"), SAVED)
async def test_what_others_made_of_it_since_outlives_a_repetition(
    page: Dashboard,
    cmd: str,
    what: str,
    named: dict[str, Any],
    mine: dict[str, Any],
    corrected: dict[str, Any],
    name: str,
) -> None:
    """Whether the first call created it or changed it."""
    for key in ("creates", "changes"):
        again = {"Idempotency_Key": f"{cmd} {key}"}
        first = await page.mds(cmd, again, what=what, value=mine, **named)
        assert first.status == 200, first.json
        assert (await page.mds(cmd, what=what, value=corrected, **named)).status == 200
        before = (await page.send("GET", f"/v1/{name}")).json
        repeated = await page.mds(cmd, again, what=what, value=mine, **named)
        assert (repeated.status, repeated.json) == (200, first.json)
        assert (await page.send("GET", f"/v1/{name}")).json == before
    assert await changes_of(page, name) == 4
