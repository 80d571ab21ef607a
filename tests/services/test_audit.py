"""Each check finds what is odd, and nothing else."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from metadata_server.domain.audit import Audited, Finding
from metadata_server.domain.intent.attribute import AttributeOverride, Parameter, ValueType
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template, VersionState
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.refused import Refused
from metadata_server.services.auditing import audit_pieces
from metadata_server.services.auditing.audit import Audits
from metadata_server.store.schema import change_set
from metadata_server.store.store import Store
from tests.services.lively import CALLER, CURRENT, SUPPLY, Facility, attached, facility, report
from tests.stages.waiting import until

MONTH_US = 31 * 86_400_000_000


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        yield found


async def found(lab: Facility, check: str, prefix: str = "", **asked: int) -> dict[str, Finding]:
    audited = Audited(id_prefix=prefix, **asked)
    return {
        each.name: each
        async for piece in Audits(lab.store).run([check], audited)
        for each in piece.findings
    }


async def create(lab: Facility, resource: Template | UnitServer | ControlUnit) -> None:
    await lab.resources.create(CALLER, resource, validate_only=False)


async def test_units_that_no_process_has_taken_in_were_never_seen(lab: Facility) -> None:
    await lab.declare("A/PS1")
    await lab.register()
    await lab.declare("A/PS2", "B/PS1", server="")
    assert list(await found(lab, "never-seen")) == ["control_units/A/PS2", "control_units/B/PS1"]
    assert list(await found(lab, "never-seen", "B/")) == ["control_units/B/PS1"]


async def test_all_of_many_pieces_are_found(lab: Facility, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"A/PS{number}" for number in range(5)]
    await lab.declare(*ids)
    monkeypatch.setattr(audit_pieces, "IDS_A_PIECE", 2)
    assert list(await found(lab, "never-seen")) == [f"control_units/{id}" for id in ids]


async def test_unit_servers_that_knock_and_are_not_defined_are_found(lab: Facility) -> None:
    for _ in range(2):
        with pytest.raises(Refused, match="UNDECLARED"):
            await lab.register(unit_server="STRANGER")
    with pytest.raises(Refused, match="UNDECLARED"):
        await lab.register(unit_server="LATER")
    await create(lab, UnitServer(id="LATER"))
    (finding,) = (await found(lab, "not-defined")).values()
    assert finding.name == "unit_servers/STRANGER"
    assert (finding.details["count"], finding.details["host"]) == ("2", "rack1")


async def test_unit_servers_that_never_registered_or_host_nothing_are_found(lab: Facility) -> None:
    await create(lab, UnitServer(id="NEW"))
    await lab.declare("A/PS1", server="NEW")
    await lab.register()
    assert list(await found(lab, "unit-server-never-seen")) == ["unit_servers/NEW"]
    assert list(await found(lab, "unit-server-without-units")) == ["unit_servers/US"]


async def test_units_without_a_unit_server_are_found(lab: Facility) -> None:
    await lab.declare("A/PS1")
    await lab.declare("A/PS2", server="")
    assert list(await found(lab, "unit-without-server")) == ["control_units/A/PS2"]


async def test_templates_without_a_unit_are_found(lab: Facility) -> None:
    await lab.declare("A/PS1")
    await create(lab, replace(SUPPLY, id="Spare"))
    assert list(await found(lab, "unused-template")) == ["templates/Spare"]


async def test_overrides_that_change_nothing_are_found_by_their_value(lab: Facility) -> None:
    mask = replace(CURRENT, name="mask", type=ValueType.UINT8, facets={"default_value": "60"})
    period = Parameter("period", ValueType.UINT32, facets={"default_value": "16"})
    template = replace(SUPPLY, id="T", attributes=(CURRENT, mask), parameters=(period,))
    await create(lab, template)
    said = (
        AttributeOverride("current", {"maximum": "10.0", "minimum": "1"}),
        AttributeOverride("mask", {"default_value": "0x3C"}),
    )
    unit = ControlUnit(id="A/PS1", template="T", overrides=said, parameters={"period": "0x10"})
    await create(lab, unit)
    await create(lab, replace(unit, id="A/PS2", overrides=said[:0], parameters={"period": "17"}))
    (finding,) = (await found(lab, "override-equals-default")).values()
    assert finding.name == "control_units/A/PS1"
    assert dict(finding.details) == {
        "overrides[current].maximum": "10.0 (without it 10)",
        "overrides[mask].default_value": "0x3C (without it 60)",
        "parameters[period]": "0x10 (without it 16)",
    }


async def test_units_that_begin_too_many_lives_a_day_are_found(lab: Facility) -> None:
    await lab.declare("A/PS1")
    for number in range(4):
        await lab.register(incarnation=str(number), take_over=True)
    assert await found(lab, "restarted-often", restarts_a_day=4) == {}
    (finding,) = (await found(lab, "restarted-often", restarts_a_day=3)).values()
    assert (finding.name, finding.details["lives"]) == ("control_units/A/PS1", "4")


async def test_ids_that_differ_only_in_case_are_found(lab: Facility) -> None:
    await lab.declare("A/PS1", "A/ps1", "A/PS2")
    await create(lab, UnitServer(id="us"))
    both = await found(lab, "ids-differ-only-in-case")
    assert {name: dict(each.details) for name, each in both.items()} == {
        "unit_servers/US": {"alike": "us"},
        "control_units/A/PS1": {"alike": "A/ps1"},
    }
    assert list(await found(lab, "ids-differ-only-in-case", "A/p")) == ["control_units/A/PS1"]


async def test_conditions_are_summed_by_type(lab: Facility) -> None:
    await lab.declare("A/PS1", "A/PS2", "B/PS1")
    more = (CURRENT, replace(CURRENT, name="ramp"))
    await lab.resources.update(
        CALLER,
        Template,
        "Supply",
        etag="*",
        change=lambda head: replace(head, attributes=more),
        validate_only=False,
    )
    (all_units,) = (await found(lab, "conditions")).values()
    assert dict(all_units.details) == {"type": "OutOfDate", "units": "3"}
    (some,) = (await found(lab, "conditions", "A/")).values()
    assert some.details["units"] == "2"


async def test_drifting_units_are_counted(lab: Facility) -> None:
    await lab.declare("A/PS1")
    registered = await lab.register()
    await lab.let_grace_end()
    async with attached(lab, registered) as (unit_server, _):
        wrong = report("A/PS1", 1, State.RUNNING, fingerprint=f"v1:{'0' * 64}")
        await unit_server.report([wrong])

        async def counted() -> bool:
            return bool(await found(lab, "conditions"))

        await until(counted)
    (finding,) = (await found(lab, "conditions")).values()
    assert dict(finding.details) == {"type": "ConfigDrift", "units": "1"}


async def test_drafts_that_nobody_touches_for_a_month_are_forgotten(lab: Facility) -> None:
    await create(lab, replace(SUPPLY, id="Draft", version_state=VersionState.DRAFT))
    assert await found(lab, "draft-forgotten") == {}
    await lab.store.transact(
        lambda unit: unit.connection.execute(
            update(change_set).values(time_us=change_set.c.time_us - MONTH_US)
        )
    )
    (finding,) = (await found(lab, "draft-forgotten")).values()
    assert (finding.name, finding.details["version"]) == ("templates/Draft", "1")


async def test_a_check_that_is_not_there_is_refused_with_the_one_that_is_meant(
    lab: Facility,
) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        await found(lab, "never-sen")
    assert "'never-seen'" in refused.value.message


async def test_without_names_all_checks_run_in_their_order(lab: Facility) -> None:
    audits = Audits(lab.store)
    ran = [piece.check async for piece in audits.run([], Audited())]
    described = audits.descriptions()
    assert list(dict.fromkeys(ran)) == list(described) == sorted(described)
    assert all(described.values())


async def test_a_prefix_that_no_id_can_have_finds_nothing(lab: Facility) -> None:
    await lab.declare("A/PS1", server="")
    found = [p async for p in Audits(lab.store).run([], Audited(id_prefix="Ä"))]
    assert [each for piece in found for each in piece.findings] == []
