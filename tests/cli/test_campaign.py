"""`mds campaign`: begun, ordered for, summed up, closed."""

import json
from pathlib import Path

from tests.cli.conftest import Mds
from tests.cli.test_import import small_facility, write


async def test_a_campaign_is_begun_ordered_for_summed_up_and_closed(
    mds: Mds, tmp_path: Path
) -> None:
    await mds("import", "chaos", str(write(tmp_path, small_facility())))
    begun = await mds(
        "campaign", "create", "degauss", "--target", "7", "--due", "2h", "--description", "all"
    )
    assert (begun.code, "--campaign degauss" in begun.out) == (0, True)
    order = ("A/B/1", "--campaign", "degauss", "--yes", "--no-wait")
    given = await mds("stop", *order)
    assert given.code == 0, given.err
    headers, row = (line.split("\t") for line in (await mds("campaign", "list")).out.splitlines())
    told = dict(zip(headers, row, strict=True))
    assert (told["id"], told["of"], told["operations"]) == ("degauss", "7", "1")
    assert told["due"].startswith("2")
    (shown,) = json.loads((await mds("campaign", "show", "degauss", "-o", "json")).out)
    assert (shown["targetUnits"], shown["sums"]["requested"]) == (7, 1)
    (operation,) = json.loads(
        (await mds("operation", "list", "--campaign", "degauss", "-o", "json")).out
    )
    assert operation["campaign"] == "campaigns/degauss"
    assert (await mds("campaign", "close", "degauss")).out == "degauss is closed.\n"
    refused = await mds("start", *order)
    assert (refused.code, "CAMPAIGN_CLOSED" in refused.err) == (1, True)
    assert (await mds("campaign", "list", "--open")).err == "There is no campaign.\n"
