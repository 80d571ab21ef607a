"""Change sets that began a draft and changed another version of its template, taken back."""

from dataclasses import replace

import pytest

from metadata_server.domain.intent.bundle import ItemAction
from metadata_server.domain.intent.template import Template, VersionState
from metadata_server.domain.refused import Refused
from metadata_server.store.store import Store
from tests.services.test_undo import TEMPLATE, Call, Facility, actions

DRAFT, PUBLISHED, DEPRECATED = VersionState.DRAFT, VersionState.PUBLISHED, VersionState.DEPRECATED
FIRST = replace(TEMPLATE, version=1)
SECOND = replace(TEMPLATE, description="2")
THIRD = replace(TEMPLATE, description="3", version=3, version_state=DRAFT)
CHANGED = ("templates/Supply", ItemAction.CHANGED)


@pytest.fixture
def facility(store: Store, call: Call) -> Facility:
    return Facility(store, call)


async def content(facility: Facility) -> list[Template]:
    """All versions of the template, and last the template itself."""

    def work_of(head: Template) -> list[Template]:
        return facility.store.read_now(lambda unit: unit.resources.all_versions(head)).value

    head = await facility.template()
    return [*work_of(head), head]


@pytest.mark.parametrize(
    ("second", "other", "left"),
    [
        pytest.param(
            SECOND,
            replace(FIRST, version_state=DEPRECATED),
            {1: PUBLISHED, 2: PUBLISHED},
            id="deprecated",
        ),
        pytest.param(
            replace(SECOND, version_state=DRAFT),
            replace(SECOND, version=2),
            {1: PUBLISHED, 2: DEPRECATED},
            id="published",
        ),
    ],
)
async def test_a_draft_goes_with_what_else_became_of_its_template(
    facility: Facility,
    second: Template,
    other: Template,
    left: dict[int, VersionState],
) -> None:
    """What was published is deprecated, and never a draft again."""
    await facility.apply(TEMPLATE)
    await facility.apply(second)
    done = await facility.apply(other, THIRD)
    after = await facility.versions()
    began = await content(facility)
    went = await facility.undo(done)
    assert actions(went) == [CHANGED, CHANGED]
    assert await facility.versions() == left
    *versions, head = await content(facility)
    assert {each.version: each.version_state for each in versions} == left
    assert (head.description, head.version_state) == ("2", left[2])
    again = await facility.undo(done)
    assert (again.count, await facility.versions()) == (0, left)
    await facility.undo(went.position.revision)
    assert (await facility.versions(), await content(facility)) == (after, began)


async def test_a_draft_that_was_edited_since_stays_with_all_of_the_change(
    facility: Facility,
) -> None:
    await facility.apply(TEMPLATE)
    await facility.apply(SECOND)
    done = await facility.apply(replace(FIRST, version_state=DEPRECATED), THIRD)
    await facility.apply(replace(THIRD, description="better"), author="eva")
    with pytest.raises(Refused, match=r"CHANGED_SINCE.*eva"):
        await facility.undo(done)
    assert await facility.versions() == {1: DEPRECATED, 2: PUBLISHED, 3: DRAFT}
