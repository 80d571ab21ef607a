"""Audits find what cannot be ordered, before anybody orders it."""

from collections.abc import AsyncIterator

import pytest

from metadata_server.domain.audit import Audited, Finding
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.services.auditing import audit_pieces
from metadata_server.services.auditing.audit import Audits
from metadata_server.store.store import Store
from tests.services.lively import CALLER, SUPPLY, Facility, facility


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        yield found


async def declare(lab: Facility, id: str, *requires: str, after: str = "", level: int = 0) -> None:
    unit = ControlUnit(
        id=id,
        template=SUPPLY.id,
        level=level,
        requires=requires,
        after=(after,) if after else (),
    )
    await lab.resources.create(CALLER, unit, validate_only=False)


async def found(lab: Facility, check: str, prefix: str = "") -> list[Finding]:
    audited = Audited(id_prefix=prefix)
    return [
        each async for piece in Audits(lab.store).run([check], audited) for each in piece.findings
    ]


async def test_each_cycle_is_told_once_whatever_the_levels(lab: Facility) -> None:
    await declare(lab, "A/1", "B/")
    await declare(lab, "B/1", after="A/1", level=3)
    await declare(lab, "C/1", after="C/2")
    await declare(lab, "C/2", "C/1")
    await declare(lab, "D/1", "C/1")
    messages = [each.message for each in await found(lab, "dependency-cycle")]
    assert messages == [
        "It waits for itself: A/1 requires B/ (B/1), B/1 comes after A/1.",
        "It waits for itself: C/1 comes after C/2, C/2 requires C/1.",
    ]
    (only,) = await found(lab, "dependency-cycle", "B/")
    assert (only.name, only.details["cycle"]) == ("control_units/A/1", "A/1, B/1")


async def test_dependencies_on_nothing_are_found(
    lab: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_pieces, "IDS_A_PIECE", 1)
    await declare(lab, "A/1", "GONE", "B/", "EMPTY/")
    await declare(lab, "B/1", "A/1", after="GONE")
    told = [
        (each.severity.value, each.name, each.message)
        for each in await found(lab, "dependency-not-declared")
    ]
    assert told == [
        ("WARNING", "control_units/A/1", "It requires GONE, which is not there."),
        ("WARNING", "control_units/A/1", "It requires EMPTY/, which has no unit."),
        ("NOTICE", "control_units/B/1", "It comes after GONE, which is not there."),
    ]
    assert await found(lab, "dependency-not-declared", "C/") == []


async def test_dependencies_on_higher_levels_are_found(lab: Facility) -> None:
    await declare(lab, "A/1", "B/", "C", level=2)
    await declare(lab, "B/1", level=1)
    await declare(lab, "B/2", level=3)
    await declare(lab, "B/3", level=3)
    await declare(lab, "C", after="A/1")
    told = {each.name: each for each in await found(lab, "dependency-against-level")}
    assert told["control_units/A/1"].message == (
        "It requires B/2 of level 3, and is itself of level 2: each waits for the other."
    )
    assert dict(told["control_units/A/1"].details) == {
        "requires": "B/",
        "unit": "B/2",
        "level": "3",
    }
    assert told["control_units/C"].message.startswith("It comes after A/1 of level 2")
