"""`python -m tests.chaos`: breaks a cluster on purpose, and says whether what is promised holds."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tests.chaos.faults import FAULTS, SHORT, SOAK
from tests.chaos.faults.fault import Fault
from tests.chaos.goals import missed
from tests.chaos.lanes import Lane, run_lanes
from tests.chaos.loads.catalogue import MATRIX, NAMES, make_load
from tests.chaos.matrix import FEW_UNITS, Cell, Results, cells, run_all
from tests.chaos.report import report as table
from tests.chaos.report import this_machine
from tests.chaos.rounds import now
from tests.chaos.soak import Begun, Soak
from tests.chaos.soak import soak as hold_on
from tests.chaos.soak_report import soak_report
from tests.chaos.stage import what_the_cluster_lacks
from tests.chaos.under_test import Version, version_of

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / ".cache" / "chaos" / "results.jsonl"
SAMPLES = ROOT / ".cache" / "chaos" / "soak.jsonl"
BY_NAME = {each.name: each for each in FAULTS}

which_faults = click.option(
    "--fault", "faults", multiple=True, type=click.Choice(list(BY_NAME)), help="Only these."
)
where_to = click.option("--report", type=Path, metavar="FILE", help="Write it there, as Markdown.")


@click.group(invoke_without_command=True, help=__doc__)
@click.pass_context
@click.option("--rounds", default=5, show_default=True, help="Of each fault under each load.")
@which_faults
@click.option("--load", "loads", multiple=True, type=click.Choice(list(NAMES)), help="Only these.")
@click.option("--units", type=int, help="Control units of each load, instead of its own number.")
@click.option("--short", is_flag=True, help="Few faults, one round each: what CI runs.")
@click.option(
    "--again", is_flag=True, help="Also what an earlier run has done with the same programs."
)
@click.option(
    "--results", default=RESULTS, type=Path, metavar="FILE", show_default=".cache/chaos/results.jsonl",
    help="Where results are kept, a line a round; an earlier run's are gone on from.",
)  # fmt: skip
@click.option("--lanes", default=1, show_default=True, help="Clusters beside each other.")
@click.option("--lane", default="1/1", hidden=True)
@click.option("--commit", default="", help="Count as of this one, instead of the work tree's.")
@where_to
def main(
    context: click.Context,
    rounds: int,
    faults: tuple[str, ...],
    loads: tuple[str, ...],
    units: int | None,
    results: Path,
    lanes: int,
    lane: str,
    commit: str,
    *,
    short: bool,
    again: bool,
    report: Path | None,
) -> None:
    if context.invoked_subcommand is not None:
        return
    chosen = _chosen(faults or (SHORT if short else tuple(BY_NAME)))

    def version() -> Version:
        return Version(commit, commit) if commit else version_of(ROOT)

    done = Results(results, version(), forget=again)
    under = loads or (("mixed",) if short else MATRIX)
    here, times = Lane.parse(lane), 1 if short else rounds
    if lanes > here.of:
        asyncio.run(run_lanes(lanes, sys.argv[1:]))
        done = Results(results, version())
    else:
        share = list(cells(here.share(chosen), here.order(under), times, units))
        asyncio.run(run_all(share, done, click.echo, version))
    if here.of == 1:
        _conclude(done, list(cells(chosen, under, times, units)), report, is_short=short)


def _conclude(
    done: Results, wanted: Sequence[Cell], report: Path | None, *, is_short: bool
) -> None:
    """Says what has come out, and ends the program."""
    if report is not None:
        report.write_text(table(done.all))
    decided = [each for each in done.all if not each.undecided]
    violations = sum(len(each.violations) for each in done.all)
    click.echo(f"{violations} violations in {len(decided)} rounds.")
    late = (
        [] if is_short else missed(decided)
    )  # a few rounds beside other tests say nothing of times
    for goal in late:
        click.echo(f"Not held: {goal}.", err=True)
    sys.exit(1 if violations or late or not all(map(done.has, wanted)) else 0)


@main.command()
@click.option("--minutes", default=120.0, show_default=True)
@which_faults
@click.option("--load", type=click.Choice(list(NAMES)), default="idle", show_default=True)
@click.option("--units", default=FEW_UNITS, show_default=True, help="Control units of the load.")
@click.option(
    "--samples", default=SAMPLES, type=Path, metavar="FILE", show_default=".cache/chaos/soak.jsonl",
    help="Everything that is seen goes there, as it is seen.",
)  # fmt: skip
@click.option("--judge", is_flag=True, help="Run nothing; look once more at what the file has.")
@where_to
def soak(
    minutes: float,
    faults: tuple[str, ...],
    load: str,
    units: int,
    samples: Path,
    report: Path | None,
    *,
    judge: bool,
) -> None:
    """Faults for hours, one after the other: what processes hold must not grow."""
    if not judge:
        chosen = _chosen(faults or SOAK)
        samples.parent.mkdir(parents=True, exist_ok=True)
        samples.write_bytes(b"")
        seen = Soak(samples)
        seen.add(Begun(load, units, *version_of(ROOT), this_machine(), now()))
        running = hold_on(
            chosen, make_load(load), seen, minutes=minutes, units=units, say=click.echo
        )
        asyncio.run(running)
    done = Soak.read(samples)
    text = soak_report(done)
    if report is not None:
        report.write_text(text)
    click.echo(text)
    for each in done.growing:
        click.echo(f"More and more is held by {each}.", err=True)
    sys.exit(1 if done.violations or done.growing or done.unjudged else 0)


def _chosen(names: tuple[str, ...]) -> list[Fault]:
    """Ends the program where no cluster can run."""
    if missing := what_the_cluster_lacks():
        click.echo(f"The cluster cannot run here: {missing}.", err=True)
        sys.exit(2)
    for name in names:
        if BY_NAME[name].missing:
            click.echo(f"Left out: {name}: {BY_NAME[name].missing}.", err=True)
    return [BY_NAME[name] for name in names if not BY_NAME[name].missing]


if __name__ == "__main__":
    # Whoever asks it to end wants the cluster ended, too; in the background of a shell it would not
    # hear Ctrl-C otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    main()
