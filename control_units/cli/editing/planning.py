"""From a plan that somebody has seen to just that being done."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import click
from mds.v1.bundle_pb2 import Problem

from control_units.cli.connection import Connection
from control_units.cli.editing.plan_report import PlanReport, plan_items, plan_json, plan_text
from control_units.cli.failures import PROBLEMS
from control_units.cli.output.problems import problem_lines
from control_units.cli.output.progress import progress_bar
from control_units.client import Client, Unreachable
from control_units.importers.apply import PATIENCE_S, Outcome, Progress

SOMETHING_TO_DO = 4


class Change(Protocol):
    """What is to be done, as a call to a server."""

    async def __call__(
        self, client: Client, progress: Progress, /, *, plan: Outcome | None
    ) -> Outcome:
        """Plans it, or does it.

        Args:
            plan: the one that was seen, to do just that; None: nothing is written.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """How a change is to be handled.

    Attributes:
        is_agreed: whether nobody needs to be asked.
        tells_by_code: whether a dry run ends with another code where there is something to do.
    """

    is_dry_run: bool
    is_agreed: bool
    output: str
    skips_invalid: bool = False
    tells_by_code: bool = False

    @classmethod
    def of(cls, options: dict[str, object]) -> "Wish":
        """What `plan_options` has read."""
        return cls(
            is_dry_run=bool(options["dry_run"]),
            is_agreed=bool(options["yes"]),
            output=str(options["output"]),
            skips_invalid=bool(options.get("skip_invalid")),
            tells_by_code=bool(options["detailed_exit_code"]),
        )

    def ask(self) -> None:
        """Returns once what was shown is agreed to.

        Raises:
            click.UsageError: nobody can be asked, and nothing says that nobody needs to be.
            click.Abort: it is not.
        """
        if not self.is_agreed:
            self.check()
            click.confirm("Do this?", abort=True, err=True)

    def check(self) -> None:
        """Refuses early what would fail only at the question, where there would be one whatever the
        plan is.

        Raises:
            click.UsageError: nobody can be asked, and nothing says that nobody needs to be.
        """
        if self.is_dry_run or self.is_agreed:
            return
        if self.output == "json" or not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise click.UsageError(
                "There is no terminal to ask at. Look at the plan with --dry-run, then do it "
                "with --yes."
            )


@dataclass(frozen=True, slots=True)
class Source:
    """Where a change comes from, when it comes from files.

    Attributes:
        problems: that reading them has found.
        located: gives problems of a server their places in the files.
        count: of the items.
    """

    problems: Sequence[Problem] = ()
    located: Callable[[Iterable[Problem]], list[Problem]] = list
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """How a plan is told.

    Attributes:
        text: for people.
        items: for programs, as JSON has them.
        is_undoable: whether what was done can be taken back.
    """

    text: Callable[[PlanReport], str] = plan_text
    items: Callable[[Outcome], list[dict[str, object]]] = plan_items
    is_undoable: bool = True

    def json(self, report: PlanReport, *, is_applied: bool) -> str:
        items = self.items(report.outcome) if report.outcome else []
        return plan_json(report, items, is_applied=is_applied)


def carry_out(
    connection: Connection,
    change: Change,
    wish: Wish,
    *,
    source: Source | None = None,
    telling: Telling | None = None,
) -> PlanReport:
    """Shows the plan, asks, and does just that; what was done, or the plan where nothing was to
    be done.

    Raises:
        click.UsageError: there is something to do, and nobody can be asked.
        click.exceptions.Exit: something stands against it, or, if that was asked for, there is
            something to do.
    """
    source, telling = source or Source(), telling or Telling()
    plan = _planned(connection, change, source)
    if wish.output == "text":
        click.echo(telling.text(plan))
    if _is_over(plan, wish, telling):
        return plan
    wish.ask()
    done = _done(connection, change, source, plan)
    _say_done(done, wish, telling)
    return done


def _planned(connection: Connection, change: Change, source: Source) -> PlanReport:
    outcome: Outcome | None = None
    unasked = ""
    try:
        outcome = _run(connection, change, source, plan=None)
    except Unreachable as error:
        if not source.problems:
            raise
        unasked = str(error)
    return _report(connection, source, outcome, unasked)


def _is_over(plan: PlanReport, wish: Wish, telling: Telling) -> bool:
    """Whether nothing is left to do; where something stands against the plan it ends here."""
    is_stopped = plan.outcome is None or bool(plan.problems and not wish.skips_invalid)
    if not (is_stopped or plan.is_empty or wish.is_dry_run):
        return False
    if wish.output == "json":
        click.echo(telling.json(plan, is_applied=False))
    elif is_stopped:
        click.echo("Nothing was written. Mend what stands against it, or see --skip-invalid.")
    elif plan.is_empty:
        click.echo("Nothing to do.")
    else:
        click.echo("Nothing was written.")
    if is_stopped:
        raise click.exceptions.Exit(PROBLEMS)
    if wish.tells_by_code and not plan.is_empty:
        raise click.exceptions.Exit(SOMETHING_TO_DO)
    return True


def _done(connection: Connection, change: Change, source: Source, plan: PlanReport) -> PlanReport:
    try:
        outcome = _run(connection, change, source, plan=plan.outcome)
    except KeyboardInterrupt:
        raise click.ClickException(
            "Interrupted while it was being done: look at `mds changes` before you repeat it."
        ) from None
    return _report(connection, source, outcome)


def _say_done(done: PlanReport, wish: Wish, telling: Telling) -> None:
    assert done.outcome is not None
    summary = done.outcome.summary
    if wish.output == "json":
        click.echo(telling.json(done, is_applied=summary.applied))
    elif summary.applied:
        revision = summary.position.revision
        click.secho(f"Done at revision {revision}.", bold=True)
        if telling.is_undoable:
            click.echo(f"To take it back: mds undo {revision}")
    else:
        click.echo("\n".join([*problem_lines(done.problems), "Nothing was written."]))
    if not summary.applied:
        raise click.exceptions.Exit(PROBLEMS)


def _run(
    connection: Connection, change: Change, source: Source, *, plan: Outcome | None
) -> Outcome:
    with progress_bar(source.count) as progress:
        return connection.run(
            lambda client: change(client, progress, plan=plan), timeout_s=PATIENCE_S
        )


def _report(
    connection: Connection, source: Source, outcome: Outcome | None, unasked: str = ""
) -> PlanReport:
    found = source.located(outcome.problems) if outcome else []
    author = connection.author() if outcome else ""
    return PlanReport(outcome, [*source.problems, *found], author, unasked)
