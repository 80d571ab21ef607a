"""An export is read piece by piece while it is taken, and is as of one moment all the same."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.bundle import Item
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent, Script, Variable
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent import exports
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.resources import Resources
from metadata_server.services.past.trimming import Trimming
from metadata_server.store.store import Store
from tests.services.exported import exported_by
from tests.services.test_trimming import age

Call = Callable[..., Caller]
VARIABLES = [Variable(id=f"v{number}", value=str(number)) for number in range(7)]
TEMPLATES = [Template(id=f"T{number}", implementation="::T") for number in range(3)]
SERVER = UnitServer(id="US")
UNITS = [ControlUnit(id=f"U{n}", template="T1", unit_server="US") for n in range(5)]
FACILITY = [*TEMPLATES, SERVER, *UNITS, *VARIABLES, Agent(id="A"), Script(id="S", content="x = 1")]


@pytest.fixture
async def bundles(
    store: Store, call: Call, monkeypatch: pytest.MonkeyPatch
) -> Bundles:  # with more of some kinds than is in a piece
    monkeypatch.setattr(exports, "PIECE", 3)
    bundles = Bundles(store)
    items = [Item(each.name, each.name, each) for each in FACILITY]
    await bundles.apply(call(), items, Applying(), ApplyProgress())
    return bundles


@pytest.fixture
def resources(store: Store) -> Resources:
    return Resources(store)


def told(found: list[Resource]) -> list[tuple[str, str]]:
    return [(each.name, each.value if isinstance(each, Variable) else "") for each in found]


async def change(resources: Resources, call: Call) -> None:
    """What comes first, what comes last, and what was not there."""
    for id in ("v0", "v6"):
        await resources.update(
            call(), Variable, id, etag="*", change=lambda before: replace(before, value='"new"'),
            validate_only=False,
        )  # fmt: skip
    await resources.delete(call(), Variable, "v5", etag="*", validate_only=False)
    await resources.create(call(), Variable(id="v55", value="55"), validate_only=False)
    await resources.update(
        call(), Template, "T1", etag="*",
        change=lambda before: replace(before, implementation="::U"), validate_only=False,
    )  # fmt: skip


async def test_an_export_in_pieces_has_all_that_one_piece_has(
    bundles: Bundles, resources: Resources, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await exported_by(bundles)
    assert sorted(each.name for each in before) == sorted(each.name for each in FACILITY)
    await change(resources, call)
    in_pieces = await exported_by(bundles), await exported_by(bundles, as_of="1")
    monkeypatch.setattr(exports, "PIECE", 500)
    assert (await exported_by(bundles), await exported_by(bundles, as_of="1")) == in_pieces
    assert told(in_pieces[1]) == told(before)
    of_some = await exported_by(bundles, [Kind.TEMPLATE, Kind.VARIABLE], "T")
    assert [each.name for each in of_some] == ["templates/T0", "templates/T1", "templates/T1",
        "templates/T2"]  # fmt: skip


async def test_what_changes_while_an_export_is_taken_is_in_it_as_it_was(
    bundles: Bundles, resources: Resources, call: Call
) -> None:
    whole = await exported_by(bundles)
    pieces = bundles.export([], "")
    first = await anext(pieces)
    assert 0 < len(first.value) <= 3
    await change(resources, call)
    found, positions = [*first.value], {first.position}
    async for piece in pieces:
        found += piece.value
        positions.add(piece.position)
    assert told(found) == told(whole)
    assert len(positions) == 1


async def test_an_export_whose_past_is_trimmed_meanwhile_is_refused(
    store: Store, bundles: Bundles, resources: Resources, call: Call
) -> None:
    pieces = bundles.export([Kind.VARIABLE], "")
    await anext(pieces)
    await change(resources, call)
    await age(store, 31)
    await Trimming(store, kept_days={Kind.VARIABLE: 30}, request_days=365).trim()
    with pytest.raises(Refused, match="HISTORY_TRIMMED"):
        await anext(pieces)


async def test_nothing_to_export_has_a_position(store: Store) -> None:
    (only,) = [piece async for piece in Bundles(store).export([Kind.SCRIPT], "none")]
    assert not only.value
    assert only.position.store_id
