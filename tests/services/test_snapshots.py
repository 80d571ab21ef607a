"""Snapshots: values set by hand are checked where that can be; comparisons; lists by mark."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.attribute import Attribute, Direction, ValueType
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import SavedUnit, SavedValue, Snapshot
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.domain.refused import Refused
from metadata_server.domain.values.set_point import SetPoint
from metadata_server.domain.values.snapshot_comparison import Outcome, ValueDifference
from metadata_server.domain.values.tolerance import Tolerance
from metadata_server.services.intent.resources import Resources
from metadata_server.services.values.snapshots import Comparing, Side, Snapshots
from metadata_server.store.store import Store
from tests.domain.facility import POWER_SUPPLY, UNIT, override
from tests.stages.shelves import shelf_of

Call = Callable[..., Caller]
T = ValueType
SAVED = Snapshot(
    id="morning",
    taken_time_us=7,
    units=(
        SavedUnit("OLD/U", (SavedValue("mode", T.INT8, "3"),), {"seen": '"2015"'}),
        SavedUnit(UNIT.id, (SavedValue("current", T.DOUBLE, "1.5"),)),
    ),
    marks=("golden",),
)


@pytest.fixture
async def facility(store: Store, call: Call) -> Resources:
    """A unit with a current of 2 A by default and 8 A at most, and a snapshot of it."""
    resources = Resources(store)
    narrowed = (override("current", default_value="2", maximum="8"),)
    for each in (
        replace(POWER_SUPPLY, version=0),
        UnitServer(id=UNIT.unit_server),
        replace(UNIT, template_version=0, overrides=narrowed),
        SAVED,
    ):
        await resources.create(call(), each, validate_only=False)
    return resources


async def set_values(
    store: Store, caller: Caller, *points: SetPoint, etag: str = "", validate_only: bool = False
) -> Snapshot:
    answer = await Snapshots(store).set_values(
        caller, SAVED.id, points, etag=etag, validate_only=validate_only
    )
    return answer.value


def current(value: str) -> SetPoint:
    return SetPoint(UNIT.id, "current", value)


async def test_values_are_set_and_all_others_stay(
    store: Store, facility: Resources, call: Call
) -> None:
    before = (await facility.get(Snapshot, SAVED.id)).value
    after = await set_values(
        store,
        call(),
        current("-1.5"),
        SetPoint("OLD/U", "mode", "4"),
        SetPoint("A", "x", "1", T.INT16),
        SetPoint(UNIT.id, "channels", "[1, 2]"),
        etag=before.etag,
    )
    assert after == replace(
        SAVED,
        units=(
            SavedUnit("A", (SavedValue("x", T.INT16, "1"),)),
            SavedUnit("OLD/U", (SavedValue("mode", T.INT8, "4"),), {"seen": '"2015"'}),
            SavedUnit(
                UNIT.id,
                (
                    SavedValue("channels", T.UINT8, "[1, 2]"),
                    SavedValue("current", T.DOUBLE, "-1.5"),
                ),
            ),
        ),
    )
    assert (await facility.get(Snapshot, SAVED.id)).value == after
    assert after.meta.revision == before.meta.revision + 1


async def test_all_that_is_wrong_with_values_is_told_at_once(
    store: Store, facility: Resources, call: Call
) -> None:
    points = (
        current("9"),
        SetPoint(UNIT.id, "channels", "300"),
        SetPoint(UNIT.id, "current_readback", "1"),
        SetPoint(UNIT.id, "nothing", "1"),
        SetPoint("OLD/U", "mode", "x", T.INT8),
        current("1"),
        SetPoint("", "a b", "1"),
    )
    with pytest.raises(Refused) as refused:
        await set_values(store, call(), *points)
    assert [(each.field, each.reason) for each in refused.value.fields] == [
        ("values[5].attribute", "INVALID_FIELD"),
        ("values[0].value", "OVERRIDE_OUT_OF_RANGE"),
        ("values[1].value", "INVALID_VALUE"),
        ("values[2].attribute", "OVERRIDE_OF_OUTPUT"),
        ("values[3].attribute", "NOT_IN_TEMPLATE"),
        ("values[4].value", "INVALID_VALUE"),
        ("values[6].control_unit", "INVALID_FIELD"),
        ("values[6].attribute", "INVALID_FIELD"),
    ]
    assert "at most 8, the maximum" in refused.value.message
    assert (await facility.get(Snapshot, SAVED.id)).value == SAVED


async def test_a_value_must_have_the_type_that_the_snapshot_has(
    store: Store, facility: Resources, call: Call
) -> None:
    with pytest.raises(Refused, match=r"'x'.*whole number from -128 to 127"):
        await set_values(store, call(), SetPoint("OLD/U", "mode", "x"))
    with pytest.raises(Refused, match="at least one value"):
        await set_values(store, call())


async def test_a_unit_of_which_no_attribute_is_known_may_have_any(
    store: Store, facility: Resources, call: Call
) -> None:
    bare = Template(id="Bare", implementation="Bare")
    await facility.create(call(), bare, validate_only=False)
    unit = ControlUnit(id="Z/BARE", template="Bare")
    await facility.create(call(), unit, validate_only=False)
    after = await set_values(store, call(), SetPoint("Z/BARE", "any", "1", T.BOOL))
    assert SavedUnit("Z/BARE", (SavedValue("any", T.BOOL, "1"),)) in after.units


async def test_a_repeated_or_tried_setting_writes_nothing(
    store: Store, facility: Resources, call: Call
) -> None:
    before = (await facility.get(Snapshot, SAVED.id)).value
    await set_values(store, call(), current("3"), validate_only=True)
    assert (await facility.get(Snapshot, SAVED.id)).value.etag == before.etag
    caller = call(request_id="r1", payload_hash="same")
    first = await set_values(store, caller, current("3"))
    await set_values(store, call(), current("4"))
    again = await set_values(store, caller, current("3"))
    assert (again, again.etag) == (first, first.etag)
    with pytest.raises(Refused, match="ETAG_MISMATCH"):
        await set_values(store, call(), current("5"), etag=before.etag)


async def compare(store: Store, **how: str) -> tuple[list[ValueDifference], dict[str, int]]:
    comparing = Comparing(
        id=SAVED.id,
        other=how.get("other") or Side.INTENDED,
        tolerance=Tolerance(Decimal(how.get("tolerance") or "0")),
        id_prefix=how.get("id_prefix") or "",
    )
    found = (await Snapshots(store).compare(comparing)).value.comparison
    return list(found.differences), {outcome.value: n for outcome, n in found.counts.items()}


async def test_two_snapshots_are_compared(store: Store, facility: Resources, call: Call) -> None:
    evening = Snapshot(
        id="evening",
        units=(
            SavedUnit("OLD/U", (SavedValue("mode", T.UNSPECIFIED, "0x3"),)),
            SavedUnit(UNIT.id, (SavedValue("current", T.FLOAT, "1.25"),)),
        ),
    )
    await facility.create(call(), evening, validate_only=False)
    differs = ValueDifference(UNIT.id, "current", "1.5", "1.25", Decimal("0.25"), 1)
    one_each = {Outcome.EQUAL: 1, Outcome.DIFFERENT: 1}
    assert await compare(store, other="evening") == ([differs], one_each)
    assert await compare(store, other="evening", tolerance="0.25") == ([], {Outcome.EQUAL: 2})
    only_old = await compare(store, other="evening", id_prefix="OLD/")
    assert only_old == ([], {Outcome.EQUAL: 1})
    with pytest.raises(Refused, match="SNAPSHOT_NOT_FOUND"):
        await compare(store, other="night")


async def test_a_snapshot_is_compared_with_what_is_intended(
    store: Store, facility: Resources, call: Call
) -> None:
    differences, counts = await compare(store)
    assert differences == [
        ValueDifference("OLD/U", "mode", "3", None),
        ValueDifference(UNIT.id, "current", "1.5", "2", Decimal("0.5"), 1),
    ]
    assert counts == {Outcome.DIFFERENT: 1, Outcome.MISSING_FROM_OTHER: 1}
    await set_values(store, call(), current("2.0"))
    assert await compare(store, id_prefix=UNIT.id) == ([], {Outcome.EQUAL: 1})
    extra = Attribute("ramp", Direction.INPUT, T.DOUBLE, facets={"default_value": "5"})
    answer = await facility.update(
        call(),
        Template,
        POWER_SUPPLY.id,
        etag="*",
        change=lambda each: replace(each, attributes=(*each.attributes, extra)),
        validate_only=False,
    )
    await facility.update(
        call(),
        ControlUnit,
        UNIT.id,
        etag="*",
        change=lambda each: replace(each, template_version=answer.value.version),
        validate_only=False,
    )
    differences, _ = await compare(store, id_prefix=UNIT.id)
    assert differences == [ValueDifference(UNIT.id, "ramp", None, "5")]


async def test_snapshots_are_listed_by_mark_now_and_in_the_past(
    store: Store, facility: Resources, call: Call
) -> None:
    for number in range(3):
        marks = ("a", "golden") if number else ()
        each = Snapshot(id=f"s{number}", marks=marks)
        created = await facility.create(call(), each, validate_only=False)
    await facility.update(
        call(),
        Snapshot,
        "s1",
        etag="*",
        change=lambda each: replace(each, marks=("a",)),
        validate_only=False,
    )

    async def listed(mark: str, as_of: str = "") -> list[str]:
        selection = Selection(kind=Kind.SNAPSHOT, mark=mark, as_of=as_of)
        ids: list[str] = []
        token, shelf = "", shelf_of(Snapshot)
        while True:
            page = (await facility.list(Snapshot, selection, shelf, size=1, token=token)).value
            ids += [each.id for each in page.items]
            token = page.next_page_token
            if not token:
                return ids

    assert await listed("golden") == ["morning", "s2"]
    assert await listed("golden", str(created.position.revision)) == ["morning", "s1", "s2"]
    assert await listed("a") == ["s1", "s2"]
    assert await listed("gold") == []
    assert await listed("") == ["morning", "s0", "s1", "s2"]
