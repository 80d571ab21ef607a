"""`--filter` and `--sort` of what is no resource: changes, agents, campaigns, versions, lives."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mds
from tests.cli.test_import import small_facility, write


async def test_lists_of_what_is_no_resource_are_filtered_and_sorted(
    mds: Mds, tmp_path: Path
) -> None:
    await mds("import", "chaos", str(write(tmp_path, small_facility())))
    for campaign in ("one", "two"):
        await mds("campaign", "create", campaign, "--description", "x")
    oldest = await mds("changes", "--sort", "revision", "--limit", "1", "-o", "json")
    newest = await mds("changes", "--filter", "method:*Campaign", "--limit", "1", "-o", "json")
    assert json.loads(oldest.out)[0]["name"] == "change_sets/1"
    assert json.loads(newest.out)[0]["name"] == "change_sets/3"
    sums = await mds("campaign", "list", "--filter", "failed=0", "--sort", "campaign,desc")
    assert [line.split()[0] for line in sums.out.splitlines()[1:]] == ["two", "one"]
    assert "two" not in (await mds("campaign", "list", "--filter", "failed>0")).out
    await mds("webhook", "add", "hook", "http://127.0.0.1:9/")
    none = await mds("webhook", "deliveries", "hook", "--filter", "state=DELIVERED")
    assert (none.code, none.err) == (0, "It has sent nothing of this.\n")
    lives = await mds("lives", "A/B/1", "--filter", "end_reason=LEASE_ENDED", "--sort", "end,desc")
    assert lives.code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("changes", "--filter", "autor=anna"),
        ("agent", "status", "--filter", "contct=LOST"),
        ("campaign", "list", "--filter", "faild>0"),
        ("history", "--filter", "actoin=DELETED"),
        ("lives", "A/B/1", "--filter", "hots=node1"),
    ],
)
async def test_a_slip_is_answered_with_what_was_perhaps_meant(
    lasting_mds: Mds, tmp_path: Path, words: tuple[str, ...]
) -> None:
    await lasting_mds("import", "chaos", str(write(tmp_path, small_facility())))
    told = await lasting_mds(*words)
    assert (told.code, "did you mean" in told.err) == (1, True)
