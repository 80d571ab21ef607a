"""An integrator begins the next version of a power-supply template, publishes it, sees what it
does to each unit, moves them, and takes it back: on a real facility."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mds.v1 import edit_pb2
from mds.v1.bundle_pb2 import (
    ApplySummary,
    BundleHeader,
    BundleItem,
    ExportRequest,
    Problem,
    SeenPlan,
)
from mds.v1.configuration_pb2 import Configuration
from mds.v1.control_unit_pb2 import ControlUnit, GetConfigurationRequest
from mds.v1.dataset_pb2 import Attribute
from mds.v1.edit_pb2 import RebaseControlUnitsRequest, UnitRebase, UnitSelection
from mds.v1.history_pb2 import UndoRequest
from mds.v1.template_pb2 import (
    RELATION_AT_MOST,
    VERSION_STATE_DRAFT,
    VERSION_STATE_PUBLISHED,
    DeprecateTemplateVersionRequest,
    DiscardTemplateDraftRequest,
    GetTemplateRequest,
    ListTemplateVersionsRequest,
    PublishTemplateVersionRequest,
    Requirement,
    Template,
    UpdateTemplateRequest,
)

from control_units.client import Client, Refused
from control_units.importers.chaos import read_chaos
from tests.scenarios.plans import apply
from tests.stages.replica import Replica

SUPPLY = "templates/driver::powersupply::SCPowerSupplyControlUnit"
SUPPLIES = 366
"""The file has 367, of which two have one id."""
Fields = dict[str, str]


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address, principal="anna") as client:
        yield client


@pytest.fixture
async def dafne(client: Client, chaos_files: Path) -> Client:
    items = read_chaos((chaos_files / "dafne.json").read_bytes()).items
    told = await apply(client, items, BundleHeader(reason="import", item_count=len(items)))
    assert told.summary.applied
    return client


@dataclass
class Rebased:
    """All that a rebase said."""

    units: dict[str, UnitRebase] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    summary: ApplySummary = field(default_factory=ApplySummary)
    largest_bytes: int = 0

    def outcomes(self) -> dict[str, int]:
        """How many units have which outcome."""
        names = [edit_pb2.RebaseOutcome.Name(each.outcome) for each in self.units.values()]
        return {name.removeprefix("REBASE_OUTCOME_"): names.count(name) for name in set(names)}


async def rebase(client: Client, **fields: Any) -> Rebased:
    request = RebaseControlUnitsRequest(template=SUPPLY, reason="a test", **fields)
    told = Rebased()
    async for response in client.edits.RebaseControlUnits(request):
        told.units |= {each.name: each for each in response.units}
        told.problems += response.problems
        told.largest_bytes = max(told.largest_bytes, response.ByteSize())
        if response.HasField("summary"):
            told.summary = response.summary
    return told


async def supplies(client: Client) -> dict[str, ControlUnit]:
    found = {}
    async for reply in client.bundles.Export(ExportRequest()):
        for item in reply.items:
            if item.HasField("control_unit") and item.control_unit.template == SUPPLY:
                found[item.control_unit.name] = item.control_unit
    return found


async def declared(client: Client) -> list[BundleItem]:
    """What people declare, but for the versions of templates and what the server stamps."""
    found = []
    async for reply in client.bundles.Export(ExportRequest()):
        for item in reply.items:
            resource = getattr(item, item.WhichOneof("resource") or "")
            for name in ("etag", "revision", "generation", "update_time"):
                if name in resource.DESCRIPTOR.fields_by_name:
                    resource.ClearField(name)
            if not item.HasField("template"):
                found.append(item)
    return found


async def configurations(client: Client, names: list[str]) -> dict[str, Fields]:
    """What units use, by the paths of differences."""
    found = {}
    for name in names:
        request = GetConfigurationRequest(name=name)
        found[name] = fields_of(await client.control_units.GetConfiguration(request))
    return found


def fields_of(configuration: Configuration) -> Fields:
    found = {f"parameters[{name}]": text for name, text in configuration.parameters.items()}
    for attribute in configuration.attributes:
        for each, value in attribute.ListFields():
            if each.name != "name":
                text = Attribute.DESCRIPTOR.fields_by_name[each.name].enum_type
                assert text is None, "the templates of this file have no types"
                found[f"attributes[{attribute.name}].{each.name}"] = str(value)
    for driver in configuration.drivers:
        found[f"drivers[{driver.name}].version"] = driver.version
        found[f"drivers[{driver.name}].init_parameter"] = driver.init_parameter
    return found


def changed(before: Fields, after: Fields) -> set[tuple[str, str | None, str | None]]:
    return {
        (path, before.get(path), after.get(path))
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }


def told(unit: UnitRebase) -> set[tuple[str, str | None, str | None]]:
    return {
        (
            each.path,
            each.before if each.HasField("before") else None,
            each.after if each.HasField("after") else None,
        )
        for each in unit.differences
    }


async def template(client: Client) -> Template:
    return await client.templates.GetTemplate(GetTemplateRequest(name=SUPPLY))


async def begin_draft(client: Client, *, highest: str) -> Template:
    """A draft that gives ramps a default and a range, and demands something of `current`."""
    draft = await template(client)
    draft.version_state = VERSION_STATE_DRAFT
    for attribute in draft.attributes:
        if attribute.name == "rampUpRate":
            attribute.default_value, attribute.minimum, attribute.maximum = "2.5", "0", "0x32"
        elif attribute.name == "current":
            attribute.maximum = "100"
    draft.requirements.append(
        Requirement(left="current.maximum", relation=RELATION_AT_MOST, right=highest)
    )
    request = UpdateTemplateRequest(template=draft, reason="next version")
    request.update_mask.paths.extend(["version_state", "attributes", "requirements"])
    return await client.templates.UpdateTemplate(request)


async def publish(client: Client, draft: Template) -> Template:
    request = PublishTemplateVersionRequest(name=SUPPLY, etag=draft.etag, reason="tried out")
    return await client.templates.PublishTemplateVersion(request)


async def test_a_real_facility_moves_to_a_new_version_and_back(dafne: Client) -> None:
    names = sorted(await supplies(dafne))
    assert len(names) == SUPPLIES
    before, used_before = await declared(dafne), await configurations(dafne, names)
    draft = await begin_draft(dafne, highest="2300")
    with pytest.raises(Refused, match="STILL_A_DRAFT"):
        await rebase(dafne, to_version=draft.version)
    published = await publish(dafne, draft)
    assert [each.version_state for each in published.versions] == [VERSION_STATE_PUBLISHED] * 2

    some = names[::20]  # asking all of them again and again was most of this test
    used_before_by_some = {name: used_before[name] for name in some}
    plan = await rebase(dafne, validate_only=True)
    assert not plan.summary.applied
    assert plan.outcomes() == {"CHANGED_DEFAULT": SUPPLIES}
    assert await declared(dafne) == before
    assert await configurations(dafne, some) == used_before_by_some
    seen = SeenPlan(position=plan.summary.position, plan=plan.summary.plan)
    done = await rebase(dafne, seen_plan=seen)
    assert done.summary.applied
    assert done.summary.changed == SUPPLIES
    assert done.units == plan.units
    used = await configurations(dafne, names)
    for name in names:
        assert changed(used_before[name], used[name]) == told(plan.units[name]), name
    assert {unit.template_version for unit in (await supplies(dafne)).values()} == {2}
    again = await rebase(dafne)
    assert not again.units
    assert again.summary.position.revision == done.summary.position.revision

    await dafne.history.Undo(
        UndoRequest(name=f"change_sets/{done.summary.position.revision}", reason="too hot")
    )
    assert await declared(dafne) == before
    assert await configurations(dafne, some) == used_before_by_some


async def test_units_that_stand_against_a_version_are_named_and_can_give_way(
    dafne: Client,
) -> None:
    await publish(dafne, await begin_draft(dafne, highest="1000"))
    plan = await rebase(dafne, validate_only=True, skip_invalid=True)
    assert plan.outcomes() == {"CHANGED_DEFAULT": SUPPLIES - 8, "CONFLICT": 8}
    assert {problem.reason for problem in plan.problems} == {"REQUIREMENT_BROKEN"}
    assert {problem.value for problem in plan.problems} == {"2300.0"}
    strict = await rebase(dafne)
    assert not strict.summary.applied
    assert strict.summary.rejected == 8
    done = await rebase(dafne, drop_conflicting=True)
    assert done.summary.changed == SUPPLIES
    dropped = {name: list(unit.dropped) for name, unit in done.units.items() if unit.dropped}
    assert len(dropped) == 8
    assert {path for paths in dropped.values() for path in paths} == {"overrides[current].maximum"}


async def test_only_the_units_of_a_selection_move(dafne: Client) -> None:
    await publish(dafne, await begin_draft(dafne, highest="2300"))
    prefix = "DAFNE/PL/"
    done = await rebase(dafne, selection=UnitSelection(id_prefix=prefix))
    assert done.summary.changed > 0
    for name, unit in (await supplies(dafne)).items():
        moved = name.startswith(f"control_units/{prefix}")
        assert unit.template_version == (2 if moved else 1), name
    versions = await dafne.templates.ListTemplateVersions(ListTemplateVersionsRequest(name=SUPPLY))
    assert list(versions.unit_counts) == [SUPPLIES - done.summary.changed, done.summary.changed]


async def test_a_draft_is_thrown_away_and_an_old_version_deprecated(dafne: Client) -> None:
    draft = await begin_draft(dafne, highest="2300")
    discard = DiscardTemplateDraftRequest(name=SUPPLY, etag=draft.etag)
    await dafne.templates.DiscardTemplateDraft(discard)
    assert (await template(dafne)).version == 1
    published = await publish(dafne, await begin_draft(dafne, highest="2300"))
    await dafne.templates.DeprecateTemplateVersion(
        DeprecateTemplateVersionRequest(name=SUPPLY, version=1, etag=published.etag)
    )
    with pytest.raises(Refused, match="VERSION_DEPRECATED"):
        await rebase(dafne, to_version=1)
    await rebase(dafne)
    assert {unit.template_version for unit in (await supplies(dafne)).values()} == {2}
