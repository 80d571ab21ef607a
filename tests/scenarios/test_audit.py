"""What is odd in a facility, asked over the wire."""

import pytest
from mds.v1 import audit_pb2, control_unit_pb2, template_pb2

from control_units.client import Client, Refused
from tests.stages.replica import Replica


async def test_an_audit_streams_its_findings_by_check_and_name(replica: Replica) -> None:
    async with Client(replica.address) as client:
        await client.templates.CreateTemplate(
            template_pb2.CreateTemplateRequest(
                template=template_pb2.Template(name="templates/T", implementation="T")
            )
        )
        for id in ("A/2", "A/1"):
            unit = control_unit_pb2.ControlUnit(name=f"control_units/{id}", template="templates/T")
            await client.control_units.CreateControlUnit(
                control_unit_pb2.CreateControlUnitRequest(control_unit=unit)
            )
        request = audit_pb2.RunAuditRequest(checks=["unit-without-server", "never-seen"])
        pieces = [piece async for piece in client.audits.RunAudit(request)]
        found = [(each.check, each.name) for piece in pieces for each in piece.findings]
        assert found == [
            ("never-seen", "control_units/A/1"),
            ("never-seen", "control_units/A/2"),
            ("unit-without-server", "control_units/A/1"),
            ("unit-without-server", "control_units/A/2"),
        ]
        assert pieces[0].findings[0].severity == audit_pb2.SEVERITY_WARNING
        assert all(piece.position.revision >= 3 for piece in pieces)


async def test_the_checks_are_listed_with_what_they_look_for(replica: Replica) -> None:
    async with Client(replica.address) as client:
        listed = await client.audits.ListAuditChecks(audit_pb2.ListAuditChecksRequest())
    names = [each.name for each in listed.checks]
    assert "ids-differ-only-in-case" in names
    assert names == sorted(names)
    assert all(each.description for each in listed.checks)


async def test_a_check_that_is_not_there_is_refused(replica: Replica) -> None:
    async with Client(replica.address) as client:
        with pytest.raises(Refused, match="never-seen") as refused:
            async for _ in client.audits.RunAudit(audit_pb2.RunAuditRequest(checks=["nver-seen"])):
                pass
        assert refused.value.reason == "INVALID_FIELD"


async def test_a_type_of_condition_that_is_not_there_is_refused(replica: Replica) -> None:
    async with Client(replica.address) as client:
        with pytest.raises(Refused, match="ConfigDrift") as refused:
            await client.control_units.ListControlUnitStatuses(
                control_unit_pb2.ListControlUnitStatusesRequest(condition="Drift")
            )
        assert refused.value.reason == "INVALID_FIELD"
