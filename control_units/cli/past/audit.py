"""`mds audit`: what is odd in a facility."""

from typing import TYPE_CHECKING

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.options import list_output
from control_units.client.words import word_of

if TYPE_CHECKING:
    from mds.v1.audit_pb2 import AuditCheck, AuditFinding, RunAuditRequest

    from control_units.client import Client

FOUND = 1
_PATIENCE_S = 120.0


@click.command(short_help="Look for what is odd.")
@click.argument("checks", nargs=-1, metavar="[CHECK…]")
@click.option("--prefix", default="", help="Only resources whose ids begin with this text.")
@click.option(
    "--restarts-a-day",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="How many lives of a unit in a day are odd.",
)
@click.option("--list", "lists", is_flag=True, help="List the checks that there are.")
@click.option("--exit-code", is_flag=True, help="End with 1 where something is found.")
@list_output
@pass_connection
def audit(
    connection: Connection,
    checks: tuple[str, ...],
    *,
    prefix: str,
    restarts_a_day: int,
    lists: bool,
    exit_code: bool,
    output: str,
) -> None:
    """Look for what is odd: units that were never seen, templates without a unit, overrides
    that change nothing, and more. Without a CHECK: all of them.

    \b
      mds audit
      mds audit --list
      mds audit never-seen --prefix DAFNE/PL/ -o json

    Exit codes: 0 looked; 1 refused or, with --exit-code, something found; 2 wrong use; 3 no
    server answers.
    """
    from mds.v1.audit_pb2 import RunAuditRequest

    if lists:
        _list_checks(connection, output)
        return
    request = RunAuditRequest(checks=checks, id_prefix=prefix, restarts_a_day=restarts_a_day)
    found = connection.run(lambda client: _findings(client, request), timeout_s=_PATIENCE_S)
    _write(found, output)
    if exit_code and found:
        raise click.exceptions.Exit(FOUND)


async def _findings(client: "Client", request: "RunAuditRequest") -> "list[AuditFinding]":
    found: list[AuditFinding] = []
    async for response in client.audits.RunAudit(request, timeout=_PATIENCE_S):
        found.extend(response.findings)
    return found


def _write(found: "list[AuditFinding]", output: str) -> None:
    from control_units.cli.output.writing import Shape, write_all

    if not found and output in {"table", "wide"}:
        click.echo("Nothing odd was found.", err=True)
        return
    headers = ("check", "severity", "name", "what is odd")
    write_all(found, Shape(headers, _row, elastic=headers[-1:]), output)


def _row(each: "AuditFinding") -> tuple[str, ...]:
    return (each.check, _severity(each), each.name, each.message)


def _severity(finding: "AuditFinding") -> str:
    from mds.v1.audit_pb2 import Severity

    return word_of(Severity, finding.severity)


def _list_checks(connection: Connection, output: str) -> None:
    from control_units.cli.output.writing import Shape, write_all

    def row(each: "AuditCheck") -> tuple[str, ...]:
        return (each.name, each.description)

    found = connection.run(_checks)
    write_all(found, Shape(("check", "looks for"), row, elastic=("looks for",)), output)


async def _checks(client: "Client") -> "list[AuditCheck]":
    from mds.v1.audit_pb2 import ListAuditChecksRequest

    return list((await client.audits.ListAuditChecks(ListAuditChecksRequest())).checks)
