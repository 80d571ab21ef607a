"""A form that is refused says at which field, and keeps what was typed."""

import re
from collections.abc import Awaitable, Callable

from mds.v1.policy_pb2 import CreatePolicyRequest, Policy
from playwright.async_api import expect

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage
from tests.webui.conftest import running_site
from tests.webui.forms import form_in, submit
from tests.webui.magnets import declare_magnets

UNIT = "/control_units/RING/MAG/Q1"


def wrong_field(text: str) -> str:
    """Name of the only field that a page marks as wrong."""
    (entry,) = re.findall(r'<\w+ [^>]*aria-invalid="true"[^>]*>', text)
    (name,) = re.findall(r' name="([^"]+)"', entry)
    assert f'id="{name}-problem"' in text, "nothing says what is wrong with it"
    return str(name)


async def test_what_a_policy_wants_said_is_asked_for_at_its_field(
    start_replica: Callable[..., Awaitable[Replica]], sqlite_database: str, new_page: NewPage
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client, running_site(replica.address) as site:
        await declare_magnets(client)
        policy = Policy(name="policies/ring", id_prefix="RING/", requires_reason=True)
        await client.policies.CreatePolicy(CreatePolicyRequest(policy=policy, reason="users come"))
        for path, action, typed in (
            (f"{UNIT}/edit", f"{UNIT}/edit", {"description": "warm"}),
            (f"{UNIT}/rename", f"{UNIT}/rename", {"new_id": "RING/MAG/Q9"}),
            ("/operations/new?verb=start&id=RING/MAG/Q1", "/operations/new", {}),
            (f"{UNIT}/delete", f"{UNIT}/delete", {}),
            (
                "/datasets/edit?id=RING/MAG/Q1",
                "/datasets/edit",
                {"do:level": "set", "to:level": "2"},
            ),
        ):
            form = form_in(await site.text(path), action)
            text = await submit(site, form, changed=typed, status=422)
            assert wrong_field(text) == "reason", path
            kept = form_in(text, action).fields
            assert {name: kept[name] for name in typed} == typed
        # With the reason the same form does it.
        form = form_in(text, "/datasets/edit")
        plan = form_in(await submit(site, form, changed={"reason": "hot"}), "/datasets/edit/apply")
        assert "Saved, as change" in await submit(site, plan)
        page = await new_page(expected="422")
        await page.goto(f"{site.url}{UNIT}/rename")
        await page.fill('[name="new_id"]', "RING/MAG/Q9")
        await page.press('[name="new_id"]', "Enter")
        await expect(page.locator("#reason")).to_be_focused()
        # Looking at what would be taken back needs none.
        assert "Take back" in await site.text("/change_sets/1/undo")
