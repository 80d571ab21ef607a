"""Taking change sets back: what they did goes back, what others did since stays or is told."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import event

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    ValueType,
)
from metadata_server.domain.intent.bundle import Item, ItemAction, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.template import Template, VersionState, states_of
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.names import DECLARED
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.versioning import Versioning
from metadata_server.services.past.going_back import WentBack
from metadata_server.services.past.undo import Undo
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

Call = Callable[..., Caller]
CURRENT = Attribute("current", Direction.INPUT, ValueType.DOUBLE, facets={"maximum": "100"})
TEMPLATE = Template(id="Supply", implementation="::Supply", attributes=(CURRENT,))
SERVER = UnitServer(id="US")


def unit(id: str, **facets: str) -> ControlUnit:
    override = (AttributeOverride("current", facets),) if facets else ()
    return ControlUnit(id=id, template="Supply", unit_server="US", overrides=override)


class Facility:
    """What people do to a store, and what is there then."""

    def __init__(self, store: Store, call: Call) -> None:
        self.store = store
        self._call = call

    async def apply(self, *items: Resource | Item, author: str = "tester", reason: str = "") -> int:
        """Applies resources and removals; the revision."""
        wanted = [each if isinstance(each, Item) else Item("", each.name, each) for each in items]
        caller = self._call(principal=Principal(author), reason=reason)
        how = Applying(on_conflict=OnConflict.REPLACE)
        answer = await Bundles(self.store).apply(caller, wanted, how, ApplyProgress())
        assert answer.value.summary.applied, [d.problems for d in answer.value.decisions]
        return answer.position.revision

    async def rename(self, resource: Resource, id: str) -> int:
        def work(unit: UnitOfWork) -> None:
            there = unit.resources.get(type(resource), resource.id, lock=True)
            unit.save(replace(there, id=id))

        return (await self.store.transact(work, caller=self._call())).position.revision

    async def undo(
        self,
        revision: int,
        *,
        skip_invalid: bool = False,
        validate_only: bool = False,
        **caller: str,
    ) -> WentBack:
        answer = await Undo(self.store).undo(
            self._call(reason="undo", **caller),
            revision,
            validate_only=validate_only,
            skip_invalid=skip_invalid,
        )
        return answer.value

    async def everything(self) -> list[Resource]:
        def work(unit: UnitOfWork) -> list[Resource]:
            return [each for kind in DECLARED for each in unit.resources.where(LAYOUTS[kind].type)]

        return (await self.store.read(work)).value

    async def keys(self) -> set[int]:
        return {each.meta.key for each in await self.everything()}

    async def unit(self, id: str) -> ControlUnit:
        answer = await self.store.read(lambda unit: unit.resources.get(ControlUnit, id))
        return answer.value

    async def template(self) -> Template:
        answer = await self.store.read(lambda unit: unit.resources.get(Template, "Supply"))
        return answer.value

    async def versions(self) -> dict[int, VersionState]:
        return states_of((await self.template()).versions)


@pytest.fixture
def facility(store: Store, call: Call) -> Facility:
    return Facility(store, call)


def actions(went: WentBack) -> list[tuple[str, ItemAction]]:
    return sorted((each.item.name, each.action) for each in went.decisions)


def overrides(unit: ControlUnit) -> dict[str, str]:
    return dict(unit.overrides[0].facets) if unit.overrides else {}


def removals(*resources: Resource) -> Sequence[Item]:
    return [Item.removal(each.kind, each.id) for each in resources]


async def test_a_mixed_change_set_goes_back_and_forth(facility: Facility) -> None:
    """Created, changed and deleted at once; undone, redone, undone again."""
    agent = Agent(id="a1", host="h1")
    server = UnitServer(id="US2", launch=Launch(agent="a1"))
    await facility.apply(TEMPLATE, SERVER, agent, server, unit("A/1", maximum="50"), unit("A/2"))
    before, keys = await facility.everything(), await facility.keys()
    done = await facility.apply(
        unit("A/1", maximum="60"), unit("A/3"), *removals(server, agent, unit("A/2"))
    )
    after = await facility.everything()
    went = await facility.undo(done)
    assert actions(went) == [
        ("agents/a1", ItemAction.CREATED),
        ("control_units/A/1", ItemAction.CHANGED),
        ("control_units/A/2", ItemAction.CREATED),
        ("control_units/A/3", ItemAction.REMOVED),
        ("unit_servers/US2", ItemAction.CREATED),
    ]
    assert went.count == 5
    assert went.position.revision == done + 1
    assert await facility.everything() == before
    assert await facility.keys() == keys, "what was deleted comes back under its keys"
    await facility.undo(went.position.revision)
    assert await facility.everything() == after
    await facility.undo(went.position.revision + 1)
    assert await facility.everything() == before


async def test_undoing_what_is_undone_writes_nothing(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1", maximum="50"), unit("A/2"))
    done = await facility.apply(unit("A/1", maximum="60"), unit("A/3"), *removals(unit("A/2")))
    first = await facility.undo(done)
    again = await facility.undo(done)
    assert again.count == 0
    assert {each.action for each in again.decisions} == {ItemAction.UNCHANGED}
    assert again.position.revision == first.position.revision


async def test_what_others_changed_elsewhere_since_stays(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1", maximum="50"))
    done = await facility.apply(unit("A/1", maximum="60"))
    await facility.apply(replace(unit("A/1", maximum="60", minimum="1"), description="mine"))
    await facility.undo(done)
    now = await facility.unit("A/1")
    assert overrides(now) == {"maximum": "50", "minimum": "1"}
    assert now.description == "mine"


async def test_a_field_that_was_changed_again_refuses_the_whole_and_says_by_whom(
    facility: Facility,
) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1", maximum="50"), unit("A/2", maximum="50"))
    done = await facility.apply(unit("A/1", maximum="60"), unit("A/2", maximum="60"))
    await facility.apply(unit("A/2", maximum="70"), author="eva", reason="night shift")
    await facility.apply(replace(unit("A/2", maximum="70"), description="d"), author="adam")
    before = await facility.everything()
    with pytest.raises(Refused, match="CHANGED_SINCE") as caught:
        await facility.undo(done)
    for word in ("overrides[current].maximum", "control_units/A/2", "eva", "night shift", "'70'"):
        assert word in caught.value.message
    (conflict,) = caught.value.conflicts
    assert (conflict.name, conflict.author) == ("control_units/A/2", "eva")
    (field,) = conflict.fields
    assert (field.read, field.sent, field.now) == ("60", "50", "70")
    assert await facility.everything() == before


async def test_what_was_changed_again_can_be_left_out(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1", maximum="50"), unit("A/2", maximum="50"))
    done = await facility.apply(unit("A/1", maximum="60"), unit("A/2", maximum="60"))
    await facility.apply(unit("A/2", maximum="70"), author="eva")
    went = await facility.undo(done, skip_invalid=True)
    assert actions(went) == [
        ("control_units/A/1", ItemAction.CHANGED),
        ("control_units/A/2", ItemAction.REJECTED),
    ]
    (problem,) = [problem for each in went.decisions for problem in each.problems]
    assert (problem.reason, problem.field) == ("CHANGED_SINCE", "overrides[current].maximum")
    assert "eva" in problem.message
    assert overrides(await facility.unit("A/1")) == {"maximum": "50"}
    assert overrides(await facility.unit("A/2")) == {"maximum": "70"}


async def test_a_trial_says_what_would_be_done_and_writes_nothing(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1", maximum="50"))
    done = await facility.apply(unit("A/1", maximum="60"))
    went = await facility.undo(done, validate_only=True)
    assert actions(went) == [("control_units/A/1", ItemAction.CHANGED)]
    assert (went.count, went.position.revision) == (1, done)
    assert overrides(await facility.unit("A/1")) == {"maximum": "60"}


async def test_what_was_created_and_changed_since_is_not_thrown_away(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER)
    done = await facility.apply(unit("A/1", maximum="50"))
    await facility.apply(unit("A/1", maximum="60"), author="eva")
    with pytest.raises(Refused, match=r"CHANGED_SINCE.*maximum of control_units/A/1.*eva"):
        await facility.undo(done)


async def test_what_was_deleted_since_is_told(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1", maximum="50"))
    done = await facility.apply(unit("A/1", maximum="60"))
    await facility.apply(*removals(unit("A/1")), author="eva")
    with pytest.raises(Refused, match=r"CHANGED_SINCE.*control_units/A/1.*not there.*eva"):
        await facility.undo(done)


async def test_what_others_use_by_now_is_not_taken_away(facility: Facility) -> None:
    await facility.apply(TEMPLATE)
    done = await facility.apply(SERVER)
    await facility.apply(unit("A/1"))
    with pytest.raises(Refused, match=r"STILL_IN_USE.*control_units/A/1"):
        await facility.undo(done)


async def test_what_refers_to_something_gone_cannot_come_back(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1"))
    done = await facility.apply(*removals(unit("A/1")))
    await facility.apply(*removals(SERVER))
    with pytest.raises(Refused, match="UNIT_SERVER_NOT_FOUND") as caught:
        await facility.undo(done)
    assert [each.field for each in caught.value.fields] == ["unit_server"]


async def test_a_name_that_is_taken_by_now_does_not_come_back(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1"))
    done = await facility.apply(*removals(unit("A/1")))
    await facility.apply(unit("A/1"))
    with pytest.raises(Refused, match="ALREADY_EXISTS"):
        await facility.undo(done)


async def test_a_renamed_unit_gets_its_name_back(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1"))
    done = await facility.rename(unit("A/1"), "B/1")
    await facility.apply(unit("B/1", maximum="5"))
    await facility.undo(done)
    assert overrides(await facility.unit("A/1")) == {"maximum": "5"}


async def test_orders_to_recover_are_counted_on(facility: Facility) -> None:
    """A unit would take the next order for one that it has carried out."""
    await facility.apply(TEMPLATE, SERVER, unit("A/1"))
    done = await facility.apply(replace(unit("A/1", maximum="5"), recover_count=3))
    await facility.undo(done)
    now = await facility.unit("A/1")
    assert (overrides(now), now.recover_count) == ({}, 3)


async def test_an_unknown_change_set_is_refused(facility: Facility) -> None:
    await facility.apply(TEMPLATE)
    with pytest.raises(Refused, match="CHANGE_SET_NOT_FOUND"):
        await facility.undo(2)


async def test_a_repeated_undo_is_done_once_and_answered_alike(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1", maximum="50"))
    done = await facility.apply(unit("A/1", maximum="60"))
    first = await facility.undo(done, request_id="r", payload_hash="h")
    await facility.apply(unit("A/9"))
    again = await facility.undo(done, request_id="r", payload_hash="h")
    assert (again.count, again.position) == (first.count, first.position)
    assert [each.id for each in again.told] == ["A/1"]


async def test_a_published_version_is_deprecated_and_published_again(facility: Facility) -> None:
    """What units may rest on is never changed and never gone."""
    await facility.apply(TEMPLATE, SERVER, unit("A/1"))
    done = await facility.apply(replace(TEMPLATE, description="wider"))
    await facility.undo(done)
    published, deprecated = VersionState.PUBLISHED, VersionState.DEPRECATED
    assert await facility.versions() == {1: published, 2: deprecated}
    await facility.apply(unit("A/2"))
    assert (await facility.unit("A/2")).template_version == 1
    await facility.undo(done + 1)
    assert await facility.versions() == {1: published, 2: published}


async def test_a_draft_that_was_published_is_deprecated(facility: Facility, call: Call) -> None:
    """Never a draft again: units may have come to rest on it."""
    await facility.apply(TEMPLATE)
    draft = replace(TEMPLATE, description="draft", version_state=VersionState.DRAFT)
    await facility.apply(draft)
    versioning = Versioning(facility.store)
    done = await versioning.publish(call(), "Supply", etag="*", validate_only=False)
    await facility.undo(done.position.revision)
    assert await facility.versions() == {1: VersionState.PUBLISHED, 2: VersionState.DEPRECATED}


async def test_a_deprecation_goes_back_and_forth(facility: Facility, call: Call) -> None:
    await facility.apply(TEMPLATE)
    versioning = Versioning(facility.store)

    async def deprecate() -> int:
        answer = await versioning.deprecate(call(), "Supply", 1, etag="*", validate_only=False)
        return answer.position.revision

    back = (await facility.undo(await deprecate())).position.revision
    assert await facility.versions() == {1: VersionState.PUBLISHED}
    await deprecate()
    again = await facility.undo(back)
    assert again.count == 0, "it is deprecated again already"
    await facility.undo(back + 1)
    assert await facility.versions() == {1: VersionState.PUBLISHED}


async def test_an_edit_of_a_draft_that_was_published_since_is_told(
    facility: Facility, call: Call
) -> None:
    draft = replace(TEMPLATE, description="1", version_state=VersionState.DRAFT)
    await facility.apply(draft)
    edited = await facility.apply(replace(draft, description="2"))
    await Versioning(facility.store).publish(
        call(principal=Principal("eva")), "Supply", etag="*", validate_only=False
    )
    with pytest.raises(Refused, match=r"CHANGED_SINCE.*versions\[1\]\.version_state.*eva"):
        await facility.undo(edited)


async def test_units_go_back_to_a_version_that_is_deprecated_by_now(
    facility: Facility, call: Call
) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1"))
    await facility.apply(replace(TEMPLATE, description="2"))
    moved = await facility.apply(replace(unit("A/1"), template_version=2))
    await Versioning(facility.store).deprecate(call(), "Supply", 1, etag="*", validate_only=False)
    await facility.undo(moved)
    assert (await facility.unit("A/1")).template_version == 1


async def test_a_draft_goes_away_and_comes_back(facility: Facility) -> None:
    await facility.apply(TEMPLATE)
    draft = replace(TEMPLATE, description="draft", version_state=VersionState.DRAFT)
    begun = await facility.apply(draft)
    edited = await facility.apply(replace(draft, description="better"))
    await facility.undo(edited)
    assert (await facility.template()).description == "draft"
    gone = (await facility.undo(begun)).position.revision
    assert await facility.versions() == {1: VersionState.PUBLISHED}
    await facility.undo(gone)
    now = await facility.template()
    assert (now.version, now.version_state) == (2, VersionState.DRAFT)
    assert now.description == "draft"


async def test_a_deleted_template_comes_back_with_all_its_versions(facility: Facility) -> None:
    await facility.apply(TEMPLATE, SERVER, unit("A/1"))
    await facility.apply(replace(TEMPLATE, description="2"))
    before = await facility.everything()
    done = await facility.apply(*removals(unit("A/1"), TEMPLATE))
    await facility.undo(done)
    assert await facility.everything() == before
    assert (await facility.unit("A/1")).template_version == 1


async def test_a_thousand_units_go_back_in_few_statements(facility: Facility) -> None:
    units = [unit(f"A/{number:04}", maximum="50") for number in range(1000)]
    await facility.apply(TEMPLATE, SERVER, *units)
    done = await facility.apply(*(unit(each.id, maximum="60") for each in units))
    counted: list[str] = []
    event.listen(
        facility.store.database.writing,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: counted.append(statement),
    )
    went = await facility.undo(done)
    assert went.count == 1000
    assert len(counted) < 60
