"""Versions of templates: drafts, published for ever, deprecated; and who may use which."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.difference import FieldDifference, differences
from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.filter.vocabulary import TEMPLATE_VERSION
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    ValueType,
)
from metadata_server.domain.intent.bundle import Decision, Item, ItemAction, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template, VersionMark, VersionState
from metadata_server.domain.names import Kind
from metadata_server.domain.part_checks import LARGEST_VERSION
from metadata_server.domain.refused import RefusalKind, Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applied, Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.resources import Resources
from metadata_server.services.intent.versioning import Versioning
from metadata_server.store.intent.template_versions import change_version, drop_draft, row_of
from metadata_server.store.past.history import image_at
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import LostRace, UnitOfWork
from tests.services.exported import exported_by

Call = Callable[..., Caller]
DRAFT, PUBLISHED, DEPRECATED = VersionState.DRAFT, VersionState.PUBLISHED, VersionState.DEPRECATED
CURRENT = Attribute("current", Direction.INPUT, ValueType.DOUBLE, facets={"maximum": "10"})
SUPPLY = Template(id="Supply", implementation="::Supply", attributes=(CURRENT,))
EVERY_VERSION = AskedList(word=TEMPLATE_VERSION)


class Laboratory:
    """The services of one store, and short words for what these tests do with them."""

    def __init__(self, store: Store, call: Call) -> None:
        self.store, self.call = store, call
        self.resources = Resources(store)
        self.versioning = Versioning(store)
        self.bundles = Bundles(store)

    async def create(self, resource: Resource) -> Resource:
        answer = await self.resources.create(self.call(), resource, validate_only=False)
        return answer.value

    async def update(self, type_: type[Resource], id: str, **fields: object) -> Resource:
        answer = await self.resources.update(
            self.call(),
            type_,
            id,
            etag="*",
            change=lambda before: replace(before, **fields),  # type: ignore[arg-type]
            validate_only=False,
        )
        return answer.value

    async def publish(self, *, etag: str = "*", **call: object) -> Template:
        answer = await self.versioning.publish(
            self.call(**call), "Supply", etag=etag, validate_only=False
        )
        return answer.value

    async def deprecate(self, version: int) -> Template:
        answer = await self.versioning.deprecate(
            self.call(), "Supply", version, etag="*", validate_only=False
        )
        return answer.value

    async def discard(self) -> None:
        await self.versioning.discard(self.call(), "Supply", etag="*", validate_only=False)

    async def head(self) -> Template:
        return (await self.resources.get(Template, "Supply")).value

    async def apply(self, *resources: Resource, **how: object) -> Applied:
        items = [Item(f"line {n}", each.name, each) for n, each in enumerate(resources)]
        applying = replace(Applying(on_conflict=OnConflict.REPLACE), **how)  # type: ignore[arg-type]
        answer = await self.bundles.apply(self.call(), items, applying, ApplyProgress())
        return answer.value

    async def decided(self, resource: Resource) -> Decision:
        (decision,) = (await self.apply(resource)).decisions
        return decision

    async def states(self) -> list[tuple[int, VersionState]]:
        head = await self.head()
        stored = (await self.versioning.list("Supply", EVERY_VERSION)).value.uses
        marks = [(each.version, each.version_state) for each in head.versions]
        assert marks == [(use.version.version, use.version.version_state) for use in stored]
        return marks


@pytest.fixture
def laboratory(store: Store, call: Call) -> Laboratory:
    return Laboratory(store, call)


def wider(maximum: str) -> tuple[Attribute, ...]:
    return (replace(CURRENT, facets={"maximum": maximum}),)


def unit(id: str = "A/1", version: int = 0, **fields: object) -> ControlUnit:
    return ControlUnit(id=id, template="Supply", template_version=version, **fields)  # type: ignore[arg-type]


async def test_a_draft_is_changed_in_place_until_it_is_published(laboratory: Laboratory) -> None:
    await laboratory.create(replace(SUPPLY, version_state=DRAFT))
    await laboratory.update(Template, "Supply", attributes=wider("20"))
    assert await laboratory.states() == [(1, DRAFT)]
    published = await laboratory.publish()
    assert (published.version, published.attributes) == (1, wider("20"))
    assert await laboratory.states() == [(1, PUBLISHED)]
    await laboratory.update(Template, "Supply", attributes=wider("30"))
    assert await laboratory.states() == [(1, PUBLISHED), (2, PUBLISHED)]
    stored = (await laboratory.versioning.list("Supply", EVERY_VERSION)).value.uses
    assert [use.version.attributes for use in stored] == [wider("20"), wider("30")]


async def test_a_draft_is_begun_on_what_is_published(laboratory: Laboratory) -> None:
    await laboratory.create(SUPPLY)
    begun = await laboratory.update(Template, "Supply", version_state=DRAFT)
    assert isinstance(begun, Template)
    assert (begun.version, begun.attributes) == (2, (CURRENT,))
    assert await laboratory.states() == [(1, PUBLISHED), (2, DRAFT)]


async def test_no_version_comes_after_the_largest(laboratory: Laboratory) -> None:
    await laboratory.create(replace(SUPPLY, version=LARGEST_VERSION))
    with pytest.raises(Refused, match=r"version is '1000000000'; right would be .*999999999"):
        await laboratory.update(Template, "Supply", attributes=wider("20"))
    assert await laboratory.states() == [(LARGEST_VERSION, PUBLISHED)]
    same = await laboratory.update(Template, "Supply", attributes=(CURRENT,))
    assert same == await laboratory.head()


async def test_attributes_arranged_otherwise_make_a_draft_and_no_new_version(
    laboratory: Laboratory,
) -> None:
    voltage = replace(CURRENT, name="voltage")
    await laboratory.create(replace(SUPPLY, attributes=(voltage, CURRENT)))
    turned = (CURRENT, voltage)
    same = await laboratory.update(Template, "Supply", attributes=turned)
    assert isinstance(same, Template)
    assert (same.version, same.attributes) == (1, (voltage, CURRENT)), "files are not arranged"
    before = await laboratory.update(Template, "Supply", version_state=DRAFT)
    draft = await laboratory.update(Template, "Supply", attributes=turned)
    (told,) = differences(before, draft)
    assert told == FieldDifference("attributes", '["voltage", "current"]', '["current", "voltage"]')
    assert (await laboratory.publish()).attributes == turned


async def test_only_publishing_ends_a_draft(laboratory: Laboratory) -> None:
    await laboratory.create(replace(SUPPLY, version_state=DRAFT))
    with pytest.raises(Refused, match="publish or discard that first"):
        await laboratory.update(Template, "Supply", version_state=PUBLISHED, group="magnets")


async def test_publishing_wants_a_draft_and_its_etag(laboratory: Laboratory) -> None:
    created = await laboratory.create(replace(SUPPLY, version_state=DRAFT))
    with pytest.raises(Refused, match="ETAG_MISMATCH"):
        await laboratory.publish(etag="12345")
    once = {"request_id": "r", "payload_hash": "h"}
    first = await laboratory.publish(etag=created.etag, **once)
    assert await laboratory.publish(etag=created.etag, **once) == first
    with pytest.raises(Refused, match="NOT_A_DRAFT"):
        await laboratory.publish()


async def test_a_trial_publishes_nothing(laboratory: Laboratory) -> None:
    await laboratory.create(replace(SUPPLY, version_state=DRAFT))
    answer = await laboratory.versioning.publish(
        laboratory.call(), "Supply", etag="*", validate_only=True
    )
    assert answer.value.version_state is PUBLISHED
    assert await laboratory.states() == [(1, DRAFT)]


async def test_new_units_take_the_newest_published_version(laboratory: Laboratory) -> None:
    await laboratory.create(SUPPLY)
    await laboratory.update(Template, "Supply", attributes=wider("20"))
    await laboratory.update(Template, "Supply", attributes=wider("30"))
    await laboratory.deprecate(3)
    await laboratory.update(Template, "Supply", version_state=DRAFT, attributes=wider("40"))
    assert await laboratory.states() == [
        (1, PUBLISHED),
        (2, PUBLISHED),
        (3, DEPRECATED),
        (4, DRAFT),
    ]
    created = await laboratory.create(unit())
    assert isinstance(created, ControlUnit)
    assert created.template_version == 2


@pytest.mark.parametrize("version", [0, 1])
async def test_no_unit_uses_a_draft(laboratory: Laboratory, version: int) -> None:
    await laboratory.create(replace(SUPPLY, version_state=DRAFT))
    with pytest.raises(Refused, match="STILL_A_DRAFT") as caught:
        await laboratory.create(unit(version=version))
    assert caught.value.kind is RefusalKind.PRECONDITION


async def test_a_deprecated_version_keeps_its_units_and_takes_no_new_ones(
    laboratory: Laboratory,
) -> None:
    await laboratory.create(SUPPLY)
    await laboratory.create(unit())
    await laboratory.update(Template, "Supply", attributes=wider("20"))
    await laboratory.create(unit("A/2"))
    await laboratory.deprecate(1)
    with pytest.raises(Refused, match="VERSION_DEPRECATED"):
        await laboratory.create(unit("A/3", version=1))
    with pytest.raises(Refused, match="VERSION_DEPRECATED"):
        await laboratory.update(ControlUnit, "A/2", template_version=1)
    narrower = (AttributeOverride("current", {"maximum": "5"}),)
    edited = await laboratory.update(ControlUnit, "A/1", overrides=narrower)
    assert isinstance(edited, ControlUnit)
    assert edited.template_version == 1


async def test_a_template_of_deprecated_versions_takes_no_new_units(
    laboratory: Laboratory,
) -> None:
    await laboratory.create(SUPPLY)
    await laboratory.deprecate(1)
    with pytest.raises(Refused, match="VERSION_DEPRECATED"):
        await laboratory.create(unit())


async def test_deprecating_an_old_version_is_a_change_of_the_template(
    laboratory: Laboratory,
) -> None:
    await laboratory.create(SUPPLY)
    before = await laboratory.update(Template, "Supply", attributes=wider("20"))
    after = await laboratory.deprecate(1)
    assert after.version == 2
    assert after.etag != before.etag

    def images(work: UnitOfWork) -> list[Resource | None]:
        revisions = [each.meta.revision for each in (before, after)]
        return [image_at(work, Kind.TEMPLATE, after.meta.key, at) for at in revisions]

    earlier, later = (await laboratory.store.read(images)).value
    assert earlier is not None
    assert later is not None
    assert differences(earlier, later) == (
        FieldDifference("versions[1].version_state", "PUBLISHED", "DEPRECATED"),
    )
    again = await laboratory.deprecate(1)
    assert again.etag == after.etag


async def test_a_draft_is_discarded_and_what_is_below_is_as_it_was(laboratory: Laboratory) -> None:
    created = await laboratory.create(SUPPLY)
    await laboratory.update(Template, "Supply", version_state=DRAFT, attributes=wider("20"))
    await laboratory.discard()
    assert await laboratory.head() == created
    assert await laboratory.states() == [(1, PUBLISHED)]
    with pytest.raises(Refused, match="NOT_A_DRAFT"):
        await laboratory.discard()


async def test_a_template_that_has_nothing_but_a_draft_goes_with_it(
    laboratory: Laboratory,
) -> None:
    await laboratory.create(replace(SUPPLY, version_state=DRAFT))
    await laboratory.discard()
    with pytest.raises(Refused, match="TEMPLATE_NOT_FOUND"):
        await laboratory.head()
    await laboratory.create(SUPPLY)
    assert await laboratory.states() == [(1, PUBLISHED)]


async def test_a_draft_cannot_be_deprecated(laboratory: Laboratory) -> None:
    await laboratory.create(replace(SUPPLY, version_state=DRAFT))
    with pytest.raises(Refused, match="STILL_A_DRAFT"):
        await laboratory.deprecate(1)
    with pytest.raises(Refused, match="TEMPLATE_NOT_FOUND"):
        await laboratory.deprecate(2)


async def test_units_are_counted_by_version(laboratory: Laboratory) -> None:
    await laboratory.create(SUPPLY)
    for id in ("A/1", "A/2"):
        await laboratory.create(unit(id))
    await laboratory.update(Template, "Supply", attributes=wider("20"))
    await laboratory.create(unit("A/3"))
    versions = (await laboratory.versioning.list("Supply", EVERY_VERSION)).value
    assert [use.units for use in versions.uses] == [2, 1]
    assert versions.etag == (await laboratory.head()).etag


async def test_a_file_that_says_what_is_published_changes_nothing_beside_a_draft(
    laboratory: Laboratory,
) -> None:
    await laboratory.create(SUPPLY)
    await laboratory.update(Template, "Supply", version_state=DRAFT, attributes=wider("20"))
    assert (await laboratory.decided(SUPPLY)).action is ItemAction.UNCHANGED
    other = await laboratory.decided(replace(SUPPLY, attributes=wider("30")))
    assert [problem.field for problem in other.problems] == ["version_state"]
    assert "publish or discard" in other.problems[0].expected


async def test_a_file_edits_a_draft_and_publishes_it_by_its_number(laboratory: Laboratory) -> None:
    await laboratory.create(SUPPLY)
    draft = replace(SUPPLY, version_state=DRAFT, attributes=wider("20"))
    assert (await laboratory.decided(draft)).action is ItemAction.CHANGED
    assert (await laboratory.decided(draft)).action is ItemAction.UNCHANGED
    await laboratory.decided(replace(draft, attributes=wider("25")))
    assert await laboratory.states() == [(1, PUBLISHED), (2, DRAFT)]
    named = replace(SUPPLY, version=2, attributes=wider("30"))
    assert (await laboratory.decided(named)).action is ItemAction.CHANGED
    assert await laboratory.states() == [(1, PUBLISHED), (2, PUBLISHED)]
    assert (await laboratory.head()).attributes == wider("30")
    back = await laboratory.decided(replace(named, version_state=DRAFT))
    assert [problem.field for problem in back.problems] == ["version_state"]


async def test_versions_of_a_file_keep_their_states(laboratory: Laboratory) -> None:
    exported = [
        replace(SUPPLY, version=2, version_state=DEPRECATED),
        replace(SUPPLY, version=5, attributes=wider("20")),
        replace(SUPPLY, version=6, version_state=DRAFT, attributes=wider("30")),
        unit("A/1", version=2),
    ]
    applied = await laboratory.apply(*reversed(exported))
    assert applied.summary.applied
    assert await laboratory.states() == [(2, DEPRECATED), (5, PUBLISHED), (6, DRAFT)]
    assert await exported_by(laboratory.bundles) == exported
    again = await laboratory.apply(*exported)
    assert {each.action for each in again.decisions} == {ItemAction.UNCHANGED}


async def test_an_export_has_the_newest_published_version_though_nobody_uses_it(
    laboratory: Laboratory,
) -> None:
    await laboratory.create(SUPPLY)
    await laboratory.update(Template, "Supply", attributes=wider("20"))
    await laboratory.update(Template, "Supply", version_state=DRAFT, attributes=wider("30"))
    exported = await exported_by(laboratory.bundles, [Kind.TEMPLATE])
    assert [each.version for each in exported if isinstance(each, Template)] == [2, 3]


async def test_the_marks_of_versions_are_the_servers_alone(laboratory: Laboratory) -> None:
    await laboratory.create(replace(SUPPLY, versions=(VersionMark(7, DEPRECATED),)))
    assert await laboratory.states() == [(1, PUBLISHED)]


async def test_the_store_never_changes_what_is_published(laboratory: Laboratory) -> None:
    created = await laboratory.create(SUPPLY)
    assert isinstance(created, Template)
    other = replace(created, attributes=wider("99"))

    def overwrite(work: UnitOfWork) -> None:
        with pytest.raises(LostRace):
            change_version(work, other, row_of(other), was_draft=True)
        with pytest.raises(LostRace):
            drop_draft(work, created.meta.key, 1)

    await laboratory.store.transact(overwrite)
    (use,) = (await laboratory.versioning.list("Supply", EVERY_VERSION)).value.uses
    assert use.version.attributes == (CURRENT,)
