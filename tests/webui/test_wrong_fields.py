"""A form that is refused says at which field, and keeps what was typed."""

import re
from collections.abc import Awaitable, Callable

from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.policy_pb2 import CreatePolicyRequest, Policy
from mds.v1.template_pb2 import Template
from playwright.async_api import expect

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage
from tests.webui.conftest import running_site
from tests.webui.forms import Form, form_in, plan_at, submit
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


REBASE = "/templates/Magnet/rebase"
THREE = [f"RING/MAG/Q{number}" for number in (1, 2, 3)]


def ticked(form: Form) -> list[str]:
    sent = [*form.fields.items(), *form.more]
    return [value.removeprefix("control_units/") for name, value in sent if name == "unit"]


async def test_units_that_were_unticked_stay_so_when_a_plan_comes_back(
    start_replica: Callable[..., Awaitable[Replica]], sqlite_database: str
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client, running_site(replica.address) as site:
        await declare_magnets(client, *THREE)
        await client.control_units.change(THREE[2], set_too_high)
        await client.templates.change("Magnet", narrow)
        policy = Policy(name="policies/ring", id_prefix="RING/", requires_reason=True)
        await client.policies.CreatePolicy(CreatePolicyRequest(policy=policy, reason="users come"))
        form = form_in(await plan_at(site, f"{REBASE}?version=2"), REBASE)
        assert ticked(form) == THREE[:2]

        form.more.clear()
        only_first = {"unit": f"control_units/{THREE[0]}", "drop_conflicting": "1"}
        text = await submit(site, form, changed=only_first, status=422)
        assert wrong_field(text) == "reason"
        form = form_in(text, REBASE)
        assert ticked(form) == THREE[:1], "the second one must not move"
        assert form.fields["drop_conflicting"] == "1"

        # One that cannot be moved as it is: the others keep their ticks, and the reason its words.
        form.fields.pop("drop_conflicting")
        with_stuck = {"unit": f"control_units/{THREE[2]}", "reason": "new magnets"}
        text = await submit(site, form, changed=with_stuck, status=422)
        assert "Nothing was moved" in text
        form = form_in(text, REBASE)
        assert ticked(form) == THREE[2:]
        assert form.fields["reason"] == "new magnets"

        assert "Saved, as change" in await submit(site, form, changed=only_first)
        units = [each async for each in client.control_units.list()]
        assert [each.template_version for each in units] == [2, 1, 1]


def narrow(template: Template) -> None:
    """Has it allow less current."""
    next(each for each in template.attributes if each.name == "current").maximum = "60"


def set_too_high(unit: ControlUnit) -> None:
    unit.overrides.add(attribute="current", default_value="90")


async def test_a_version_is_published_with_the_reason_that_a_policy_wants(
    start_replica: Callable[..., Awaitable[Replica]], sqlite_database: str
) -> None:
    replica = await start_replica(sqlite_database)
    template = "/templates/Magnet"
    async with Client(replica.address) as client, running_site(replica.address) as site:
        await declare_magnets(client)
        policy = Policy(name="policies/all", template="templates/Magnet", requires_reason=True)
        await client.policies.CreatePolicy(CreatePolicyRequest(policy=policy, reason="users come"))
        for what, told in (
            ("draft", "2, draft"),
            ("publish", "2, published"),
            ("deprecate", "2, deprecated"),
            ("draft", "3, draft"),
            ("discard", "Saved, as change"),
        ):
            address = f"{template}/{what}"
            form = form_in(await site.text(template), address)
            assert form.fields["request_id"]
            text = await submit(site, form, status=422)
            assert wrong_field(text) == "reason", what
            form = form_in(text, address)
            text = await submit(site, form, changed={"reason": "colder magnets"})
            assert told in text
            twice = await submit(site, form, changed={"reason": "colder magnets"})
            assert told in twice
        assert "Publish the draft" in await site.text(f"{template}/publish")
