"""Saved lists of control units: what is on them, and selections by them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from metadata_server.domain.audit import Audited
from metadata_server.domain.change import Caller
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.refused import Refused
from metadata_server.services.auditing.audit import Audits
from metadata_server.services.intent.resources import Resources
from metadata_server.store.intent.unit_selections import selected_units
from metadata_server.store.store import Store

Call = Callable[..., Caller]
NIGHT = {"shift": "night"}


@pytest.fixture
async def resources(store: Store, call: Call) -> Resources:
    resources = Resources(store)
    plain = ControlUnit(id="A/1", template="Supply")
    for each in (
        Template(id="Supply", implementation="::Supply"),
        plain,
        replace(plain, id="A/2", labels=NIGHT),
        replace(plain, id="B/1", labels=NIGHT),
        replace(plain, id="B/2", labels={"shift": "day"}),
    ):
        await resources.create(call(), each, validate_only=False)
    return resources


async def selected(store: Store, **selection: object) -> list[str]:
    wanted = UnitSelection(**selection)  # type: ignore[arg-type]
    found = await store.read(lambda unit: selected_units(unit, wanted))
    return [each.id for each in found.value]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"control_units": ("B/2", "A/1")}, ["A/1", "B/2"]),
        ({"id_prefixes": ("B/",)}, ["B/1", "B/2"]),
        ({"unit_labels": NIGHT}, ["A/2", "B/1"]),
        ({"id_prefixes": ("B/",), "unit_labels": NIGHT}, ["B/1"]),
        ({"control_units": ("A/1",), "unit_labels": NIGHT}, ["A/1", "A/2", "B/1"]),
        ({"control_units": ("A/1",), "id_prefixes": ("A/", "B/2")}, ["A/1", "A/2", "B/2"]),
        ({"unit_filter": "label.shift:* -label.shift=day"}, ["A/2", "B/1"]),
        ({"unit_filter": "state=UNSPECIFIED changed<1h zone=B"}, ["B/1", "B/2"]),
        ({"unit_filter": "state=RUNNING"}, []),
        ({"control_units": ("B/2",), "unit_filter": "zone=A"}, ["A/1", "A/2", "B/2"]),
        ({"id_prefixes": ("A/",), "unit_filter": "label:shift"}, ["A/2"]),
        ({"unit_labels": NIGHT, "unit_filter": "A OR B/1"}, ["A/2", "B/1"]),
    ],
)
async def test_a_list_is_the_units_it_names_and_those_that_pass_the_rest(
    resources: Resources,
    store: Store,
    call: Call,
    content: dict[str, object],
    expected: list[str],
) -> None:
    wanted = UnitList(id="some", **content)  # type: ignore[arg-type]
    await resources.create(call(), wanted, validate_only=False)
    assert await selected(store, unit_list="some") == expected
    assert await selected(store, unit_list="some", zone="A") == [
        id for id in expected if id.startswith("A/")
    ]
    named = await selected(store, unit_list="some", ids=("B/1",), id_prefixes=("A/",))
    assert named == [id for id in expected if id != "B/2"]


async def test_what_is_wrong_with_the_filter_of_a_list_is_told(
    resources: Resources, call: Call
) -> None:
    wanted = UnitList(id="some", unit_filter="zone=A staet=RUNNING")
    with pytest.raises(
        Refused, match=r"unit_filter, column 8: .* did you mean \"state\""
    ) as refused:
        await resources.create(call(), wanted, validate_only=False)
    assert refused.value.reason == "INVALID_FILTER"
    assert refused.value.fields[0].field == "unit_filter"


async def test_a_list_that_is_not_there_selects_nothing_in_silence(
    resources: Resources, store: Store
) -> None:
    with pytest.raises(Refused, match="UNIT_LIST_NOT_FOUND"):
        await selected(store, unit_list="gone")


async def test_a_list_names_only_units_that_are_there_and_keeps_those_that_go(
    resources: Resources, store: Store, call: Call
) -> None:
    wanted = UnitList(id="some", control_units=("A/1", "C/1"))
    with pytest.raises(Refused, match="control_units/C/1") as refused:
        await resources.create(call(), wanted, validate_only=False)
    assert refused.value.reason == "CONTROL_UNIT_NOT_FOUND"
    with pytest.raises(Refused, match="at least one of"):
        await resources.create(call(), UnitList(id="some"), validate_only=False)
    await resources.create(
        call(), replace(wanted, control_units=("A/1", "A/2")), validate_only=False
    )
    await resources.delete(call(), ControlUnit, "A/1", etag="*", validate_only=False)
    assert await selected(store, unit_list="some") == ["A/2"]
    assert (await resources.get(UnitList, "some")).value.control_units == ("A/1", "A/2")


async def test_audits_name_the_lists_whose_units_are_gone(
    resources: Resources, store: Store, call: Call
) -> None:
    for id, units in (("some", ("A/1", "A/2")), ("whole", ("A/2",))):
        wanted = UnitList(id=id, control_units=units)
        await resources.create(call(), wanted, validate_only=False)
    await resources.delete(call(), ControlUnit, "A/1", etag="*", validate_only=False)
    pieces = [piece async for piece in Audits(store).run(["names-gone"], Audited())]
    (finding,) = (each for piece in pieces for each in piece.findings)
    assert (finding.name, finding.details["gone"]) == ("unit_lists/some", "A/1")
