"""An audit of 100,000 units, and lists of units by what holds of them."""

from __future__ import annotations

import time

import psutil
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.audit_pb2 import ListAuditChecksRequest, RunAuditRequest
from mds.v1.control_unit_pb2 import ListControlUnitStatusesRequest
from mds.v1.template_pb2 import GetTemplateRequest, UpdateTemplateRequest

from benchmarks.facility import declare
from benchmarks.stage import Stage, client_of
from benchmarks.table import print_table
from control_units.client import Client

SERVERS, UNITS = 6_250, 16
PAGE = 100
PATIENCE_S = 120


async def audit(stage: Stage) -> None:
    """Prints seconds and findings of each check, memory of the replica, and pages of lists."""
    async with stage.replica() as replica, client_of(replica) as client:
        await declare(client, SERVERS, UNITS)
        process = psutil.Process(replica.program.pid)
        await checked(client)  # by now the replica has digested the bundle, too
        before = process.memory_info().rss
        checks = await checked(client)
        grown_mb = (process.memory_info().rss - before) / 2**20
        pages = [
            ["all", await page_s(client, "")],
            ["drifting, where none does", await page_s(client, "ConfigDrift")],
            ["out of date, where none is", await page_s(client, "OutOfDate")],
        ]
        await publish_next_version(client)
        pages.append(["out of date, where all are", await page_s(client, "OutOfDate")])
    print_table(
        f"Audit of {SERVERS * UNITS:,} units that nobody has seen yet",
        ["check", "seconds", "findings"],
        [*checks, ["replica's memory grew by MB", grown_mb, ""]],
    )
    print_table(f"First page of {PAGE} statuses", ["", "seconds"], pages)


async def checked(client: Client) -> list[list[object]]:
    """Each check with its seconds and how much it finds."""
    rows: dict[str, list[object]] = {}
    began = time.perf_counter()
    for name in await names(client):
        count = 0
        request = RunAuditRequest(checks=[name])
        async for piece in client.audits.RunAudit(request, timeout=PATIENCE_S):
            count += len(piece.findings)
        now = time.perf_counter()
        rows[name] = [name, now - began, count]
        began = now
    return list(rows.values())


async def names(client: Client) -> list[str]:
    listed = await client.audits.ListAuditChecks(ListAuditChecksRequest())
    return [each.name for each in listed.checks]


async def publish_next_version(client: Client) -> None:
    """Leaves every unit behind the newest version of its template."""
    name = "templates/bench::Hollow"
    template = await client.templates.GetTemplate(GetTemplateRequest(name=name))
    template.description = "the next version"
    mask = FieldMask(paths=["description"])
    await client.templates.UpdateTemplate(
        UpdateTemplateRequest(template=template, update_mask=mask)
    )


async def page_s(client: Client, condition: str) -> float:
    """Seconds of a first page; the best of three."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        await client.control_units.ListControlUnitStatuses(
            ListControlUnitStatusesRequest(page_size=PAGE, condition=condition)
        )
        times.append(time.perf_counter() - began)
    return min(times)
