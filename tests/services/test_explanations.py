"""Explanations: who put each value there, when and why; what a plan would make of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.attribute import AttributeOverride
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.explanation import ExplainedValue, Explanation, Layer, Origin
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.resources import Resources
from metadata_server.services.life.statuses import Statuses
from metadata_server.services.past.explanations import Asked, Explanations
from metadata_server.store.life.datasets import store_datasets
from metadata_server.store.life.statuses import save_statuses
from metadata_server.store.past import first_said
from metadata_server.store.schema import history
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.domain.facility import CURRENT, POWER_SUPPLY, UNIT, override

Call = Callable[..., Caller]
MAXIMUM = "attributes[current].maximum"


@pytest.fixture
async def facility(store: Store, call: Call) -> Resources:
    """The template's version 1, a unit of it with a maximum of 8 A, and its server."""
    resources = Resources(store)
    caller = by(call, "integrator", "new supplies")
    for each in (
        replace(POWER_SUPPLY, version=0),
        UnitServer(id=UNIT.unit_server),
        replace(UNIT, template_version=0, overrides=narrowed_to("8")),
    ):
        await resources.create(caller, each, validate_only=False)
    return resources


def by(call: Call, who: str, why: str) -> Caller:
    return call(principal=Principal(who), reason=why)


async def change(
    resources: Resources, caller: Caller, type_: type[Resource], id: str, **fields: Any
) -> Resource:
    answer = await resources.update(
        caller,
        type_,
        id,
        etag="*",
        change=lambda each: replace(each, **fields),
        validate_only=False,
    )
    return answer.value


def narrowed_to(maximum: str) -> tuple[AttributeOverride, ...]:
    return (override("current", maximum=maximum),)


async def explain(store: Store, **asked: Any) -> Explanation:
    return (await Explanations(store).explain(Asked(UNIT.id, **asked))).value


async def value_at(store: Store, path: str, **asked: Any) -> ExplainedValue:
    explanation = await explain(store, **asked)
    return {each.path: each for each in explanation.values}[path]


def origin_of(value: ExplainedValue, layer: Layer) -> Origin:
    (found,) = [each.origin for each in value.layers if each.layer is layer]
    assert found is not None
    return found


async def test_an_override_is_of_who_gave_it_this_very_value(
    store: Store, facility: Resources, call: Call
) -> None:
    first = await facility.get(ControlUnit, UNIT.id)
    await change(facility, call(), ControlUnit, UNIT.id, description="moved")
    otto = by(call, "otto", "hot coil")
    narrowed = await change(facility, otto, ControlUnit, UNIT.id, overrides=narrowed_to("0x07"))
    await change(facility, call(), ControlUnit, UNIT.id, description="moved again")
    value = await value_at(store, MAXIMUM)
    assert value.value == "0x07"
    assert value.unit == "A"
    origin = origin_of(value, Layer.OVERRIDE)
    assert origin == Origin(
        source=UNIT.name,
        revision=narrowed.meta.revision,
        time_us=narrowed.meta.update_time_us,
        author="otto",
        reason="hot coil",
    )
    before = str(narrowed.meta.revision - 1)
    earlier = await value_at(store, MAXIMUM, as_of=before)
    origin = origin_of(earlier, Layer.OVERRIDE)
    assert (earlier.value, origin.author) == ("8", "integrator")
    assert origin.revision == first.value.meta.revision


async def test_a_value_that_came_back_is_of_who_brought_it_back(
    store: Store, facility: Resources, call: Call
) -> None:
    await change(facility, call(), ControlUnit, UNIT.id, overrides=narrowed_to("7"))
    back = await change(
        facility, by(call, "rita", "cooled"), ControlUnit, UNIT.id, overrides=narrowed_to("8")
    )
    origin = origin_of(await value_at(store, MAXIMUM), Layer.OVERRIDE)
    assert (origin.revision, origin.author) == (back.meta.revision, "rita")


async def test_a_value_of_the_template_is_of_who_published_its_version(
    store: Store, facility: Resources, call: Call
) -> None:
    published = (await facility.get(Template, POWER_SUPPLY.id)).value
    await change(facility, call(), Template, POWER_SUPPLY.id, description="version 2")
    value = await value_at(store, "attributes[current].minimum")
    origin = origin_of(value, Layer.TEMPLATE)
    assert (origin.source, origin.version) == (POWER_SUPPLY.name, 1)
    assert (origin.revision, origin.author) == (published.meta.revision, "integrator")
    assert origin.reason == "new supplies"


async def test_a_published_dataset_is_named_by_its_hash_and_its_time(
    store: Store, facility: Resources
) -> None:
    published = replace(CURRENT, facets={"maximum": "99"})

    def publish(unit: UnitOfWork) -> None:
        key = unit.resources.get(ControlUnit, UNIT.id).meta.key
        store_datasets(unit, {"ab" * 32: [published]})
        status = ControlUnitStatus(
            id=UNIT.id, key=key, session="s", dataset="ab" * 32, fingerprint="v1:f"
        )
        save_statuses(unit, [status])

    await store.transact(publish)
    value = await value_at(store, MAXIMUM)
    assert [each.value for each in value.layers] == ["99", "10.0", "8"]
    origin = origin_of(value, Layer.PUBLISHED_DATASET)
    assert origin.source == f"datasets/{'ab' * 32}"
    assert origin.time_us > 0
    assert (await explain(store)).reported == "v1:f"


async def test_it_is_the_configuration_that_units_are_told(
    store: Store, facility: Resources
) -> None:
    in_effect = (await Statuses(store).configuration(UNIT.id)).value
    configuration = in_effect.configuration
    explanation = await explain(store)
    assert explanation.fingerprint == configuration.fingerprint
    assert (explanation.template, explanation.template_version) == (POWER_SUPPLY.id, 1)
    assert explanation.planned == ""


async def test_what_is_trimmed_is_no_longer_known(
    store: Store, facility: Resources, call: Call
) -> None:
    created = (await facility.get(ControlUnit, UNIT.id)).value
    await change(facility, call(), ControlUnit, UNIT.id, description="moved")
    gone = delete(history).where(history.c.revision <= created.meta.revision)
    await store.transact(lambda unit: unit.connection.execute(gone).rowcount)
    origin = origin_of(await value_at(store, MAXIMUM), Layer.OVERRIDE)
    assert origin == Origin(source=UNIT.name)


@pytest.mark.parametrize(("most", "is_known"), [(100, True), (4, False)])
async def test_many_changes_are_looked_through_in_batches_and_not_without_end(
    store: Store,
    facility: Resources,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
    *,
    most: int,
    is_known: bool,
) -> None:
    created = (await facility.get(ControlUnit, UNIT.id)).value
    for number in range(6):
        await change(facility, call(), ControlUnit, UNIT.id, description=str(number))
    monkeypatch.setattr(first_said, "BATCH", 2)
    monkeypatch.setattr(first_said, "MOST_IMAGES", most)
    origin = origin_of(await value_at(store, MAXIMUM), Layer.OVERRIDE)
    assert origin.revision == (created.meta.revision if is_known else 0)


async def test_an_undone_deletion_changes_nothing_of_who_said_what(
    store: Store, facility: Resources, call: Call
) -> None:
    unit = (await facility.get(ControlUnit, UNIT.id)).value
    await facility.delete(call(), ControlUnit, UNIT.id, etag="*", validate_only=False)
    await store.transact(lambda work: work.restore([unit]), caller=call(reason="undo"))
    origin = origin_of(await value_at(store, MAXIMUM), Layer.OVERRIDE)
    assert (origin.revision, origin.author) == (unit.meta.revision, "integrator")


@pytest.mark.parametrize("comes_again", [False, True])
async def test_the_past_is_explained_by_the_template_of_then(
    store: Store, facility: Resources, call: Call, *, comes_again: bool
) -> None:
    """That is deleted by now; another one may have its name."""
    before = await explain(store)
    as_of = str((await facility.get(ControlUnit, UNIT.id)).position.revision)
    for type_, id in ((ControlUnit, UNIT.id), (Template, POWER_SUPPLY.id)):
        await facility.delete(call(), type_, id, etag="*", validate_only=False)
    if comes_again:
        other = Template(id=POWER_SUPPLY.id, implementation="::Other")
        await facility.create(call(), other, validate_only=False)
    assert await explain(store, as_of=as_of) == before
    if comes_again:
        planned = await explain(store, as_of=as_of, template_version=1)
        assert planned.planned != before.fingerprint, "a plan is about what is there"


async def test_another_version_of_its_template_is_told_beside(
    store: Store, facility: Resources, call: Call
) -> None:
    wider = replace(CURRENT, facets={**CURRENT.facets, "maximum": "20", "minimum": "-0x0A"})
    await change(facility, call(), Template, POWER_SUPPLY.id, attributes=(wider,))
    explanation = await explain(store, template_version=2)
    values = {each.path: each for each in explanation.values}
    assert values["attributes[current].minimum"].planned == "-0x0A"
    assert values[MAXIMUM].planned is None, "its override stays"
    assert values["attributes[channels].type"].is_removed
    assert explanation.template_version == 1
    await change(facility, call(), ControlUnit, UNIT.id, template_version=2)
    assert (await explain(store)).fingerprint == explanation.planned


async def test_a_planned_declaration_is_told_beside(store: Store, facility: Resources) -> None:
    planned = replace(UNIT, template_version=0, overrides=narrowed_to("9"))
    value = await value_at(store, MAXIMUM, planned=planned)
    assert (value.value, value.planned) == ("8", "9")
    assert (await facility.get(ControlUnit, UNIT.id)).value.overrides[0].facets["maximum"] == "8"


async def test_a_plan_that_cannot_be_is_refused(store: Store, facility: Resources) -> None:
    with pytest.raises(Refused, match="TEMPLATE_NOT_FOUND") as caught:
        await explain(store, template_version=7)
    assert caught.value.fields[0].field == "template_version"
    planned = replace(UNIT, template_version=1, overrides=narrowed_to("much"))
    with pytest.raises(Refused, match="overrides"):
        await explain(store, planned=planned)


async def test_what_is_not_there_is_not_explained(store: Store) -> None:
    with pytest.raises(Refused, match="CONTROL_UNIT_NOT_FOUND"):
        await explain(store)
