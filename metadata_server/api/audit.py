"""Audits on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from mds.v1 import audit_pb2, audit_pb2_grpc

from metadata_server.api.calls import Context
from metadata_server.api.messages.enums import SEVERITIES
from metadata_server.api.messages.position import position_message
from metadata_server.domain.audit import Audited, restarts_allowed
from metadata_server.services.auditing.audit import Audits, Found


class AuditsServicer(audit_pb2_grpc.AuditsServicer):
    """Converts; never decides."""

    def __init__(self, audits: Audits) -> None:
        self._audits = audits

    async def ListAuditChecks(
        self, request: audit_pb2.ListAuditChecksRequest, context: Context
    ) -> audit_pb2.ListAuditChecksResponse:
        described = self._audits.descriptions()
        return audit_pb2.ListAuditChecksResponse(
            checks=[
                audit_pb2.AuditCheck(name=name, description=text)
                for name, text in described.items()
            ]
        )

    async def RunAudit(
        self, request: audit_pb2.RunAuditRequest, context: Context
    ) -> AsyncIterator[audit_pb2.RunAuditResponse]:
        audited = Audited(
            id_prefix=request.id_prefix, restarts_a_day=restarts_allowed(request.restarts_a_day)
        )
        async with aclosing(self._audits.run(request.checks, audited)) as pieces:
            async for found in pieces:
                yield found_message(found)


def found_message(found: Found) -> audit_pb2.RunAuditResponse:
    return audit_pb2.RunAuditResponse(
        findings=[
            audit_pb2.AuditFinding(
                check=found.check,
                severity=SEVERITIES.number[each.severity],
                name=each.name,
                message=each.message,
                details=each.details,
            )
            for each in found.findings
        ],
        position=position_message(found.position),
    )
