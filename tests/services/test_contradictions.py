"""A published dataset that contradicts its unit's template is a condition of the unit."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    ValueType,
)
from metadata_server.domain.intent.fingerprint import dataset_hash
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.state import State
from metadata_server.domain.refused import Refused
from metadata_server.services.life.attachment import Attachment
from metadata_server.services.life.publication import Published
from metadata_server.store.store import Store
from tests.services.lively import (
    CALLER,
    CURRENT,
    DATASET,
    DATASET_HASH,
    READBACK,
    SUPPLY,
    Facility,
    attached,
    facility,
    report,
)
from tests.stages.waiting import until

TURNED = (replace(CURRENT, direction=Direction.OUTPUT, facets={}), READBACK)
TURNED_HASH = dataset_hash(TURNED)
CLASS = "lab::Supply"


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1")
        yield found


async def until_contradiction(lab: Facility, *, holds: bool) -> tuple[Condition, ...]:
    async def so() -> bool:
        return bool((await lab.statuses())["A/PS1"].conditions) is holds

    await until(so, what="the contradiction" if holds else "its end")
    return (await lab.statuses())["A/PS1"].conditions


async def publish(unit_server: Attachment, *, sequence: int, good: bool) -> None:
    dataset, digest = (DATASET, DATASET_HASH) if good else (TURNED, TURNED_HASH)
    await unit_server.publish([Published(digest, dataset, CLASS)])
    await unit_server.report([report("A/PS1", sequence, State.LOADED, dataset=digest)])


async def test_a_contradicting_dataset_names_its_fields(lab: Facility) -> None:
    registered = await lab.register(classes={CLASS: ""})
    async with attached(lab, registered) as (unit_server, _):
        await publish(unit_server, sequence=1, good=False)
        (found,) = await until_contradiction(lab, holds=True)
        assert (found.type, found.reason) == ("DatasetContradictsTemplate", "Contradiction")
        assert "attributes[current].direction" in found.fields
        before = await lab.position()
        await lab.liveness.conditions.look_over()
        assert await lab.position() == before, "nothing has changed"


async def test_a_good_dataset_ends_the_contradiction(lab: Facility) -> None:
    registered = await lab.register(classes={CLASS: ""})
    async with attached(lab, registered) as (unit_server, _):
        await publish(unit_server, sequence=1, good=False)
        await until_contradiction(lab, holds=True)
        await publish(unit_server, sequence=2, good=True)
        await until_contradiction(lab, holds=False)


async def test_a_process_whose_class_publishes_a_good_dataset_ends_it_too(lab: Facility) -> None:
    wrong = await lab.register(classes={CLASS: TURNED_HASH})
    async with attached(lab, wrong) as (unit_server, _):
        await publish(unit_server, sequence=1, good=False)
        await until_contradiction(lab, holds=True)
        await unit_server.publish([Published(DATASET_HASH, DATASET, CLASS)])
        await unit_server.say_goodbye()
    assert (await lab.statuses())["A/PS1"].conditions, "its code has not been mended yet"
    mended = await lab.register(incarnation="second")
    async with attached(lab, mended):
        await until_contradiction(lab, holds=False)


async def test_a_version_of_the_template_that_fits_ends_it(lab: Facility) -> None:
    registered = await lab.register(classes={CLASS: TURNED_HASH})
    async with attached(lab, registered) as (unit_server, _):
        await publish(unit_server, sequence=1, good=False)
        await until_contradiction(lab, holds=True)
        turned = replace(SUPPLY, attributes=TURNED[:1])
        await lab.resources.update(
            CALLER,
            type(SUPPLY),
            SUPPLY.id,
            etag="*",
            change=lambda head: replace(turned, meta=head.meta, versions=head.versions),
            validate_only=False,
        )
        await lab.change("A/PS1", template_version=2)
        await until_contradiction(lab, holds=False)


async def test_a_version_of_the_template_that_does_not_fit_begins_it(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, _):
        await publish(unit_server, sequence=1, good=True)
        turned = replace(SUPPLY, attributes=TURNED[:1])
        await lab.resources.update(
            CALLER,
            type(SUPPLY),
            SUPPLY.id,
            etag="*",
            change=lambda head: replace(turned, meta=head.meta, versions=head.versions),
            validate_only=False,
        )
        await lab.change("A/PS1", template_version=2)
        (found,) = await until_contradiction(lab, holds=True)
        assert "attributes[current].direction" in found.fields


async def test_an_override_that_new_code_left_without_an_attribute_keeps_nobody_from_a_stop(
    lab: Facility,
) -> None:
    more = (*DATASET, Attribute("extra", Direction.INPUT, ValueType.DOUBLE))
    registered = await lab.register(classes={CLASS: ""})
    async with attached(lab, registered) as (unit_server, _):
        await unit_server.publish([Published(dataset_hash(more), more, CLASS)])
        said = report("A/PS1", 1, State.LOADED, dataset=dataset_hash(more))
        await unit_server.report([said])
        await until(lambda: has_published(lab, dataset_hash(more)), what="the dataset")
        override = AttributeOverride("extra", {"maximum": "5"})
        await lab.change("A/PS1", overrides=(override,))
        await publish(unit_server, sequence=2, good=True)
        await until(lambda: has_published(lab, DATASET_HASH), what="the dataset without it")
    await lab.change("A/PS1", desired_state=State.STOPPED)
    with pytest.raises(Refused) as refused:
        await lab.change("A/PS1", overrides=(replace(override, facets={"maximum": "6"}),))
    assert [each.reason for each in refused.value.fields] == ["NOT_IN_TEMPLATE"]


async def has_published(lab: Facility, digest: str) -> bool:
    return (await lab.statuses())["A/PS1"].dataset == digest
