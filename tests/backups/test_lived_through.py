"""A replica that lives through a restore tells what the restored database says, and nothing that
it has kept from the days that are lost."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import MetaData

from metadata_server.domain.intent.configuration import Configuration
from metadata_server.domain.intent.template import Template
from metadata_server.domain.life.registration import Registered
from metadata_server.domain.life.state import State
from tests.backups.conftest import backed_up, restored
from tests.services.lively import (
    CALLER,
    CURRENT,
    DATASET,
    DATASET_HASH,
    Facility,
    attached,
    facility,
    report,
)
from tests.services.test_publication import PUBLISHED
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until


@pytest.fixture
async def lab(mariadb_database: str) -> AsyncIterator[Facility]:
    """With SQLite servers are stopped for a restore."""
    with opened_store(mariadb_database) as store:
        async with facility(store) as found:
            await found.declare("A")
            yield found


def bring_back(lab: Facility, backup: bytes) -> None:
    """Empties the database below a replica, and restores the backup into it."""
    database = lab.store.database
    with database.writing.begin() as connection:
        there = MetaData()
        there.reflect(connection)
        there.drop_all(connection)
    restored(database, backup)


async def widen(lab: Facility, maximum: str) -> None:
    """Publishes version 2 of the template, and puts the unit on it."""
    wider: dict[str, Any] = {"attributes": (replace(CURRENT, facets={"maximum": maximum}),)}
    answer = await lab.resources.update(
        CALLER,
        Template,
        "Supply",
        etag="*",
        change=lambda template: replace(template, **wider),
        validate_only=False,
    )
    assert answer.value.version == 2
    await lab.change("A", template_version=2)


def configuration(registered: Registered) -> Configuration:
    (assignment,) = registered.assignments
    assert assignment.configuration is not None
    return assignment.configuration


async def test_units_are_told_the_version_of_now_and_not_the_lost_one_of_its_number(
    lab: Facility,
) -> None:
    backup = backed_up(lab.store.database)
    await widen(lab, "20")
    lost = configuration(await lab.register(classes={"lab::Supply": ""}))
    assert lost.attributes[0].facets["maximum"] == "20"
    bring_back(lab, backup)
    await widen(lab, "30")
    now = configuration(await lab.register(classes={"lab::Supply": ""}, incarnation="second"))
    assert now.attributes[0].facets["maximum"] == "30"
    assert now.fingerprint != lost.fingerprint


async def test_a_dataset_that_was_lost_is_stored_again(lab: Facility) -> None:
    backup = backed_up(lab.store.database)
    async with attached(lab, await lab.register()) as (unit_server, _):
        await unit_server.publish([PUBLISHED])
    bring_back(lab, backup)
    registered = await lab.register(incarnation="second")
    assert registered.missing_datasets == (DATASET_HASH,)
    async with attached(lab, registered) as (unit_server, ear):
        await unit_server.publish([PUBLISHED])
        await unit_server.report([report("A", 1, State.LOADED, dataset=DATASET_HASH)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
    assert (await lab.liveness.publication.get(DATASET_HASH)).value.attributes == DATASET
    assert (await lab.statuses())["A"].dataset == DATASET_HASH


async def test_a_dataset_that_was_lost_is_asked_for_when_a_unit_reports_it(lab: Facility) -> None:
    backup = backed_up(lab.store.database)
    async with attached(lab, await lab.register()) as (unit_server, _):
        await unit_server.publish([PUBLISHED])
    bring_back(lab, backup)
    async with attached(lab, await lab.register(incarnation="second")) as (unit_server, ear):
        await unit_server.report([report("A", 1, State.LOADED, dataset=DATASET_HASH)])
        await until(lambda: ear.acknowledged == 1, what="the acknowledgement")
        assert DATASET_HASH in {each for word in ear.words for each in word.missing_datasets}
    assert (await lab.statuses())["A"].dataset == ""
