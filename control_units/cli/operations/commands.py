"""`mds operation`: orders to control units, while they are carried out and after."""

from typing import Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.looking.asked import asked_of, asked_options
from control_units.cli.operations.options import PHASES, SORTS, STEP_STATES, VERBS
from control_units.cli.options import list_output, reason_option, show_output
from control_units.cli.times import Moment

_NAME = click.argument("name", metavar="ID|last", type=IdOf("operations"))


@click.group(short_help="Follow, pause, abort and retry orders to units.")
def operation() -> None:
    """Orders to control units (`mds start`, `mds stop` and the like), while they are carried out
    and after. Servers carry them out, whatever becomes of the program that gave them. `last` is
    the newest of yours.

    \b
      mds operation list --active
      mds operation watch last
      mds operation pause last --reason "beam is back"
      mds operation show last --state ERROR
      mds operation retry-failed last

    An operation is PENDING until somebody resumes it, QUEUED, EXECUTING, HELD while a guard
    forbids it, SUSPENDED while it is paused; and in the end COMPLETED, ERROR where units have
    not come there, or ABORTED; much later ARCHIVED, without its steps.
    """


@operation.command(name="list", short_help="List operations, newest first.")
@click.option(
    "--phase", "phases", type=click.Choice(PHASES, case_sensitive=False), multiple=True,
    help="Only those in this phase.",
)  # fmt: skip
@click.option("--active", is_flag=True, help="Only those that have not ended.")
@click.option("--verb", "verbs", type=click.Choice(VERBS), multiple=True, help="Only this order.")
@click.option("--author", default="", help="Only by this author.")
@click.option("--mine", is_flag=True, help="Only yours.")
@click.option(
    "--unit", "control_unit", type=IdOf("control_units"), help="Only those with this control unit."
)
@click.option("--campaign", type=IdOf("campaigns"), help="Only those given for this campaign.")
@click.option("--since", type=Moment(), help="Only from then on: 2h (ago), 2026-11-15.")
@click.option("--until", type=Moment(), help="Only before then.")
@click.option("--text", default="", help="Only with this text in their reason or message.")
@click.option(
    "--sort", type=click.Choice(tuple(SORTS)), default="created", show_default=True,
    help="By what; times and counts with the largest first.",
)  # fmt: skip
@click.option("--reverse", is_flag=True, help="In the opposite order.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True,
    help="At most so many.",
)  # fmt: skip
@list_output
@pass_connection
def list_(connection: Connection, /, **options: Any) -> None:
    """List operations, newest first, with how many units have come there.

    \b
      mds operation list --active
      mds operation list --since 1d --sort failed
      mds operation list --unit DAFNE/PL/QSK/QSKPL106 --limit 5

    Exit codes: 0 listed, 2 wrong use, 3 no server answers.
    """
    from control_units.cli.operations.listing import list_operations

    if options["mine"] and options["author"]:
        raise click.UsageError("--mine and --author name one author twice; say one of them.")
    list_operations(connection, options)


@operation.command(short_help="Show an operation, and its steps.")
@_NAME
@click.option("--steps", "with_steps", is_flag=True, help="With all its steps.")
@click.option(
    "--state", "states", type=click.Choice(STEP_STATES, case_sensitive=False), multiple=True,
    help="With its steps in this state.",
)  # fmt: skip
@asked_options("operation_step", "state=ERROR message:timeout")
@show_output("text")
@pass_connection
def show(
    connection: Connection,
    name: str,
    *,
    with_steps: bool,
    states: tuple[str, ...],
    output: str,
    **asked: str,
) -> None:
    """Show an operation: who, when and why, how it is carried out, where it stands, and when it
    last changed apart from when a server last said that it carries it on.

    \b
      mds operation show last --state ERROR
      mds operation show last --filter 'attempts>1' --sort ended,desc
      mds operation show last --steps -o json

    Exit codes: 0 shown, 1 there is none, 3 no server answers.
    """
    from control_units.cli.operations.listing import show_operation

    is_asked = with_steps or any(asked.values())
    show_operation(connection, name, states, asked_of(asked), with_steps=is_asked, output=output)


@operation.command(short_help="Follow an operation to its end.")
@_NAME
@click.option(
    "--within", type=click.FloatRange(0.1, 86_400), metavar="SECONDS",
    help="How long at most.  [default: to its end]",
)  # fmt: skip
@pass_connection
def watch(connection: Connection, name: str, *, within: float | None) -> None:
    """Follow an operation to its end, wave by wave; also while servers come and go. Ctrl-C ends
    the watching, not the operation.

    \b
      mds operation watch last
      mds operation watch last --within 600

    Exit codes: 0 all units have come there; 1 some have not, or it was not watched to its end;
    3 no server answers.
    """
    from control_units.cli.operations.following import follow_to_exit
    from control_units.cli.operations.steering import full_name

    follow_to_exit(connection, full_name(connection, name), within_s=within)


@operation.command(short_help="Begin no further step for now.")
@_NAME
@reason_option
@pass_connection
def pause(connection: Connection, name: str, *, reason: str) -> None:
    """Begin no further step until it is resumed; what is under way goes on.

    \b
      mds operation pause last --reason "beam is back"
    """
    from control_units.cli.operations.steering import steer

    steer(connection, "Pause", name, reason=reason)


@operation.command(short_help="Let a paused operation go on.")
@_NAME
@reason_option
@pass_connection
def resume(connection: Connection, name: str, *, reason: str) -> None:
    """Let an operation go on that is paused, or begin one that is PENDING.

    \b
      mds operation resume last
    """
    from control_units.cli.operations.steering import steer

    steer(connection, "Resume", name, reason=reason)


@operation.command(short_help="End what has not begun.")
@_NAME
@reason_option
@pass_connection
def abort(connection: Connection, name: str, *, reason: str) -> None:
    """End all steps that have not begun; what is under way goes on to its end. What was done
    stays: the opposite order takes it back.

    \b
      mds operation abort last --reason "wrong section"
    """
    from control_units.cli.operations.steering import steer

    steer(connection, "Abort", name, reason=reason)


@operation.command("retry-failed", short_help="Begin again the steps that failed.")
@_NAME
@reason_option
@pass_connection
def retry_failed(connection: Connection, name: str, *, reason: str) -> None:
    """Begin again the steps that failed, and those that were ended because of them. Units in
    error are told to recover first.

    \b
      mds operation retry-failed last
    """
    from control_units.cli.operations.steering import steer

    steer(connection, "Retry", name, reason=reason)


@operation.command(short_help="Go on as if steps were done.")
@_NAME
@click.argument("control_units", nargs=-1, required=True, type=IdOf("control_units"))
@reason_option
@pass_connection
def skip(connection: Connection, name: str, control_units: tuple[str, ...], *, reason: str) -> None:
    """Go on as if the steps of CONTROL_UNITS were done, whether they wait, are under way or
    have failed.

    \b
      mds operation skip last RING/MAG/Q1 --reason "its cable is out"
    """
    from control_units.cli.operations.steering import skip_steps

    skip_steps(connection, name, control_units, reason=reason)
