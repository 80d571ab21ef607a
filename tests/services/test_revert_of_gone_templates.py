"""A template that is gone comes back as it was last, and what it was at a moment is its draft or its
next version: what was published is never changed and never a draft again."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.attribute import Attribute, Direction, ValueType
from metadata_server.domain.intent.bundle import Decision, Item, ItemAction, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template, VersionState
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.resources import Resources
from metadata_server.services.intent.saving import save_all
from metadata_server.services.intent.versioning import Versioning
from metadata_server.services.past.going_back import WentBack
from metadata_server.services.past.revert import Revert
from metadata_server.services.past.undo import Undo
from metadata_server.store.store import Store

DRAFT, PUBLISHED, DEPRECATED = VersionState.DRAFT, VersionState.PUBLISHED, VersionState.DEPRECATED
GONE = Item.removal(Kind.TEMPLATE, "Supply")
Row = tuple[int, VersionState, str]
"""Version, where it stands, and its content."""


def supply(maximum: str, state: VersionState = PUBLISHED) -> Template:
    current = Attribute("current", Direction.INPUT, ValueType.DOUBLE, facets={"maximum": maximum})
    return Template(
        id="Supply", implementation="::Supply", attributes=(current,), version_state=state
    )


def row_of(version: Template) -> Row:
    return version.version, version.version_state, version.attributes[0].facets["maximum"]


@dataclass
class Shop:
    """What people do to one template, and what there is of it."""

    store: Store
    caller: Caller

    async def apply(self, *wanted: Resource | Item) -> int:
        items = [each if isinstance(each, Item) else Item("", each.name, each) for each in wanted]
        how = Applying(on_conflict=OnConflict.REPLACE)
        answer = await Bundles(self.store).apply(self.caller, items, how, ApplyProgress())
        assert answer.value.summary.applied, [d.problems for d in answer.value.decisions]
        return answer.position.revision

    async def publish(self) -> None:
        publish = Versioning(self.store).publish
        await publish(self.caller, "Supply", etag="*", validate_only=False)

    async def revert(
        self,
        revision: int,
        kind: Kind = Kind.TEMPLATE,
        id: str = "Supply",
        *,
        validate_only: bool = False,
    ) -> WentBack:
        answer = await Revert(self.store).revert(
            self.caller,
            kind,
            id,
            as_of=Moment(revision=revision),
            etag="*",
            validate_only=validate_only,
        )
        return answer.value

    async def head(self) -> Template:
        return (await Resources(self.store).get(Template, "Supply")).value

    async def rows(self) -> list[Row]:
        """The rows of all versions; that the template is the newest of them is checked, too."""
        head = await self.head()
        read = await self.store.read(lambda unit: unit.resources.all_versions(head))
        rows = [row_of(each) for each in read.value]
        assert row_of(head) == rows[-1]
        assert [(each.version, each.version_state) for each in head.versions] == [
            (version, state) for version, state, _ in rows
        ]
        return rows


@pytest.fixture
def shop(store: Store, call: Callable[..., Caller]) -> Shop:
    return Shop(store, call())


async def test_the_content_of_an_earlier_version_becomes_the_next_one(shop: Shop) -> None:
    await shop.apply(supply("10"))
    second = await shop.apply(supply("20"))
    await shop.apply(supply("30"))
    key = (await shop.head()).meta.key
    await shop.apply(GONE)
    went = await shop.revert(second)
    assert [each.action for each in went.decisions] == [ItemAction.CREATED]
    kept: list[Row] = [(1, PUBLISHED, "10"), (2, PUBLISHED, "20"), (3, PUBLISHED, "30")]
    assert await shop.rows() == [*kept, (4, PUBLISHED, "20")]
    assert (await shop.head()).meta.key == key
    await shop.apply(supply("99"))
    assert await shop.rows() == [*kept, (4, PUBLISHED, "20"), (5, PUBLISHED, "99")]


async def test_what_was_published_is_no_draft_again(shop: Shop) -> None:
    await shop.apply(supply("10"))
    draft = await shop.apply(supply("20", DRAFT))
    await shop.apply(supply("25", DRAFT))
    await shop.publish()
    unit = ControlUnit(id="A/1", template="Supply")
    created = await shop.apply(unit)
    await shop.apply(Item.removal(unit.kind, unit.id), GONE)
    await shop.revert(draft)
    assert await shop.rows() == [(1, PUBLISHED, "10"), (2, PUBLISHED, "25"), (3, PUBLISHED, "20")]
    await shop.revert(created, unit.kind, unit.id)
    back = (await Resources(shop.store).get(ControlUnit, unit.id)).value
    assert back.template_version == 2


@pytest.mark.parametrize(
    "newest", ["published", "the same", "a draft", "the same as a draft", "deprecated"]
)
async def test_it_comes_back_as_what_a_revert_makes_of_one_that_is_there(
    shop: Shop, newest: str
) -> None:
    first = await shop.apply(supply("10"))
    if newest == "published":
        await shop.apply(supply("20"))
    elif newest == "a draft":
        await shop.apply(supply("20", DRAFT))
    elif newest == "the same as a draft":
        await shop.apply(supply("10", DRAFT))
    elif newest == "deprecated":
        await shop.apply(replace(supply("20"), version=2))
        await shop.apply(replace(supply("20"), version=2, version_state=DEPRECATED))
    (told,) = (await shop.revert(first, validate_only=True)).decisions
    await shop.apply(GONE)
    (done,) = (await shop.revert(first)).decisions
    assert isinstance(told.after, Template)
    assert isinstance(done.after, Template)
    assert (row_of(done.after), done.after.versions) == (row_of(told.after), told.after.versions)
    assert (await shop.rows())[-1] == row_of(told.after)


async def test_a_namesake_gives_the_one_that_was_there_last_its_content(shop: Shop) -> None:
    await shop.apply(supply("10"))
    first = await shop.apply(supply("20"))
    await shop.apply(GONE)
    await shop.apply(supply("30"))
    await shop.apply(GONE)
    await shop.revert(first)
    assert await shop.rows() == [(1, PUBLISHED, "30"), (2, PUBLISHED, "20")]


async def test_one_whose_only_draft_was_thrown_away_begins_again(shop: Shop) -> None:
    draft = await shop.apply(supply("10", DRAFT))
    discard = Versioning(shop.store).discard
    await discard(shop.caller, "Supply", etag="*", validate_only=False)
    await shop.revert(draft)
    assert await shop.rows() == [(1, DRAFT, "10")]


async def test_no_unit_comes_back_on_a_template_that_does_not(shop: Shop) -> None:
    bad = replace(supply("10"), version=1, labels={"": "a release knew no better"})
    created = Decision(Item("", bad.name, bad), ItemAction.CREATED, None, bad)
    await shop.store.transact(lambda unit: save_all(unit, [created]), caller=shop.caller)
    await shop.apply(ControlUnit(id="A/1", template="Supply"))
    removed = await shop.apply(Item.removal(Kind.CONTROL_UNIT, "A/1"), GONE)
    undo = Undo(shop.store).undo
    went = await undo(shop.caller, removed, validate_only=False, skip_invalid=True)
    assert {each.action for each in went.value.decisions} == {ItemAction.REJECTED}
    reasons = {p.reason for each in went.value.decisions for p in each.problems}
    assert "TEMPLATE_NOT_FOUND" in reasons


async def test_a_template_whose_id_another_has_by_now_stays_away(shop: Shop) -> None:
    await shop.apply(supply("10"))
    await shop.apply(ControlUnit(id="A/1", template="Supply"))
    removed = await shop.apply(Item.removal(Kind.CONTROL_UNIT, "A/1"), GONE)
    await shop.apply(supply("30"))
    undo = Undo(shop.store).undo
    went = await undo(shop.caller, removed, validate_only=False, skip_invalid=True)
    told = {each.item.name: each.action for each in went.value.decisions}
    assert told["templates/Supply"] is ItemAction.REJECTED
    assert await shop.rows() == [(1, PUBLISHED, "30")]


async def test_orders_are_counted_on_when_what_is_gone_comes_back(shop: Shop) -> None:
    unit = ControlUnit(id="A/1", template="Supply")
    server = UnitServer(id="US", launch=Launch(command="run"))
    first = await shop.apply(supply("10"), unit, server)
    assert server.launch is not None
    ordered = replace(server, launch=replace(server.launch, restart_count=2))
    await shop.apply(replace(unit, recover_count=3), ordered)
    await shop.apply(Item.removal(unit.kind, unit.id), Item.removal(server.kind, server.id))
    await shop.revert(first, unit.kind, unit.id)
    await shop.revert(first, server.kind, server.id)
    resources = Resources(shop.store)
    assert (await resources.get(ControlUnit, unit.id)).value.recover_count == 3
    launch = (await resources.get(UnitServer, server.id)).value.launch
    assert launch is not None
    assert launch.restart_count == 2
