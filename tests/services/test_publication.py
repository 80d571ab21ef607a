"""Datasets that running code publishes: stored once, checked, made those of their units."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event

from metadata_server.domain.intent.attribute import Direction
from metadata_server.domain.intent.fingerprint import dataset_hash
from metadata_server.domain.life.state import State
from metadata_server.domain.refused import Refused
from metadata_server.services.life.publication import Published
from metadata_server.store import schema
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import LostRace
from tests.services.lively import (
    CURRENT,
    DATASET,
    DATASET_HASH,
    Ear,
    Facility,
    attached,
    facility,
    report,
)
from tests.stages.waiting import until

PUBLISHED = Published(DATASET_HASH, DATASET, "lab::Supply")


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1", "A/PS2")
        yield found


async def test_a_published_dataset_becomes_that_of_the_units_that_report_it(
    lab: Facility,
) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.publish([PUBLISHED])
        await unit_server.report([report("A/PS1", 1, State.LOADED, dataset=DATASET_HASH)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
    assert (await lab.statuses())["A/PS1"].dataset == DATASET_HASH
    assert (await lab.liveness.publication.get(DATASET_HASH)).value.attributes == DATASET


async def test_a_dataset_reported_before_it_is_known_is_asked_for_and_then_taken(
    lab: Facility,
) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([report("A/PS1", 1, State.LOADED, dataset=DATASET_HASH)])
        await until_asked_for(ear, DATASET_HASH)
        assert (await lab.statuses())["A/PS1"].dataset == ""
        await unit_server.publish([PUBLISHED])
    assert (await lab.statuses())["A/PS1"].dataset == DATASET_HASH


@contextmanager
def races_are_lost(store: Store) -> Iterator[None]:
    """Where statuses would be written, the last that a transaction does: as where another node of
    a cluster always writes the same rows."""

    def lose(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO control_unit_status"):
            raise LostRace

    event.listen(store.database.writing, "before_cursor_execute", lose)
    try:
        yield
    finally:
        event.remove(store.database.writing, "before_cursor_execute", lose)


async def until_asked_for(ear: Ear, digest: str) -> None:
    await until(
        lambda: any(digest in word.missing_datasets for word in ear.words),
        what="the question for the dataset",
    )


async def test_a_dataset_that_could_not_be_written_is_asked_for_again(lab: Facility) -> None:
    registered = await lab.register(classes={"lab::Supply": ""})
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([report("A/PS1", 1, State.LOADED, dataset=DATASET_HASH)])
        await until_asked_for(ear, DATASET_HASH)
        with races_are_lost(lab.store), pytest.raises(Refused, match="CONTENTION"):
            await unit_server.publish([PUBLISHED])
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([report("A/PS1", 2, State.RUNNING, dataset=DATASET_HASH)])
        await until_asked_for(ear, DATASET_HASH)
        assert (await lab.statuses())["A/PS1"].dataset == ""
        await unit_server.publish([PUBLISHED])
    assert (await lab.statuses())["A/PS1"].dataset == DATASET_HASH
    assert (await lab.liveness.publication.get(DATASET_HASH)).value.attributes == DATASET


async def test_a_dataset_that_a_status_names_and_nobody_has_is_asked_for(lab: Facility) -> None:
    registered = await lab.register(classes={"lab::Supply": ""})
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.report([report("A/PS1", 1, State.LOADED)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
        named = schema.control_unit_status.update().values(dataset=DATASET_HASH)
        await lab.store.transact(lambda unit: unit.connection.execute(named))
        await unit_server.report([report("A/PS1", 2, State.RUNNING, dataset=DATASET_HASH)])
        await until_asked_for(ear, DATASET_HASH)
        await unit_server.publish([PUBLISHED])
        seen = len(ear.words)
        await unit_server.report([report("A/PS1", 3, State.LOADED, dataset=DATASET_HASH)])
        await until(lambda: ear.acknowledged == 3, what="the last acknowledgement")
        assert not any(word.missing_datasets for word in ear.words[seen:])
    assert (await lab.liveness.publication.get(DATASET_HASH)).value.attributes == DATASET


async def test_a_dataset_that_is_not_what_its_hash_says_is_refused(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.publish([replace(PUBLISHED, hash="0" * 64)])
        await until(lambda: ear.refused, what="the refusal")
    assert ear.refused == {"0" * 64: "INVALID_FIELD"}
    with pytest.raises(Refused, match="DATASET_NOT_FOUND"):
        await lab.liveness.publication.get("0" * 64)


async def test_a_dataset_that_contradicts_the_template_does_not_become_the_units(
    lab: Facility,
) -> None:
    turned = (replace(CURRENT, direction=Direction.OUTPUT),)
    contradicting = Published(dataset_hash(turned), turned, "lab::Supply")
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.publish([contradicting])
        await unit_server.report([report("A/PS1", 1, State.LOADED, dataset=contradicting.hash)])
        await until(lambda: "A/PS1" in ear.refused, what="the refusal")
    assert ear.refused["A/PS1"] == "DATASET_CONTRADICTS_TEMPLATE"
    assert ear.refused[contradicting.hash] == "DATASET_CONTRADICTS_TEMPLATE"
    status = (await lab.statuses())["A/PS1"]
    assert (status.dataset, status.state) == ("", State.LOADED)


async def test_units_that_apply_what_their_dataset_implies_are_not_told_again(
    lab: Facility,
) -> None:
    """The dataset came after the registration: what they were told lacked its outputs."""
    registered = await lab.register()
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.publish([PUBLISHED])
        again = await lab.register()
        full = again.assignments[0].fingerprint
        assert full != registered.assignments[0].fingerprint
        await unit_server.report(
            [report("A/PS1", 1, State.LOADED, dataset=DATASET_HASH, fingerprint=full)]
        )
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
        await lab.change("A/PS2", desired_state=State.STOPPED)
        await until(lambda: "A/PS2" in ear.assigned, what="something later")
    assert "A/PS1" not in ear.assigned
