"""How an operation goes on, on a screen or line by line."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import click
from mds.v1.operation_step_pb2 import OperationStep, StepState

from control_units.cli.operations.unfolding import Unfolding, Wave
from control_units.cli.operations.words import (
    COLOURS,
    bare,
    lasted_text,
    left_text,
    order_text,
    rest_text,
    standing_text,
    step_row,
)
from control_units.cli.output.tables import columns

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_SAY_EVERY_S = 1.0
_WAVES = 12
"""Waves that are on a screen at once."""
_MOST = 50
"""Units that are named of those that have not come there."""


class Screen(Protocol):
    def show(self, unfolding: Unfolding) -> None: ...


@contextlib.contextmanager
def screen_for() -> Iterator[Screen]:
    """What moves on a terminal; lines elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:
        yield _Moving(live)


class _Lines:
    """Failures at once, how far it is after each second, and where it stands if that is
    something to wonder about."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()
        self._said = ""
        self._standing = ""
        self._is_lost = False

    def show(self, unfolding: Unfolding) -> None:
        for step in unfolding.newly_failed():
            click.secho(_failure_line(step), fg="red", err=True)
        self._tell_lost(unfolding)
        if unfolding.is_over:
            return
        standing = standing_text(unfolding.operation)
        if standing != self._standing and unfolding.operation.phase in COLOURS:
            click.echo(standing, err=True)
        self._standing = standing
        text = there_text(unfolding)
        if text != self._said and time.monotonic() - self._said_at >= _SAY_EVERY_S:
            click.echo(text, err=True)
            self._said_at, self._said = time.monotonic(), text

    def _tell_lost(self, unfolding: Unfolding) -> None:
        if unfolding.lost is not None and not self._is_lost:
            click.echo(_lost_text(unfolding), err=True)
        elif unfolding.lost is None and self._is_lost:
            click.echo("A server answers again.", err=True)
        self._is_lost = unfolding.lost is not None


class _Moving:
    """All waves, as they fill up."""

    def __init__(self, live: "Live") -> None:
        self._live = live

    def show(self, unfolding: Unfolding) -> None:
        for step in unfolding.newly_failed():
            self._live.console.print(_failure_line(step), style="red", markup=False)
        self._live.update(picture(unfolding))


def picture(unfolding: Unfolding) -> "RenderableType":
    """Where the operation stands, and a bar for each wave; of one unit only the first."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = [Text(title(unfolding), style="bold")]
    waves = unfolding.waves()
    if unfolding.operation.counts.steps > 1 and waves:
        table = Table.grid(padding=(0, 2))
        shown, before, after = _window(waves)
        for wave in shown:
            bar = ProgressBar(wave.counts.total(), wave.ended, width=24)
            table.add_row(f"  {wave_name(wave)}", bar, _reached(wave), Text(_rest(wave)))
        parts.append(table)
        if before or after:
            parts.append(Text(f"  and {before} waves before, {after} after", style="dim"))
    if unfolding.lost is not None:
        parts.append(Text(_lost_text(unfolding), style="yellow"))
    return Group(*parts)


def title(unfolding: Unfolding) -> str:
    """What, where it stands, since when and for how long still; a unit that is alone by its id."""
    operation = unfolding.operation
    what = order_text(operation)
    alone = next(unfolding.missing(), None) if operation.counts.steps == 1 else None
    if alone is not None:
        what = " ".join(part for part in step_row(alone) if part)
    times = ", ".join(text for text in (lasted_text(operation), left_text(operation)) if text)
    standing = standing_text(operation)
    return "  ".join(part for part in (what, standing, times) if part)


def _window(waves: list[Wave]) -> tuple[list[Wave], int, int]:
    """The waves around the first that has not ended."""
    first = next((i for i, wave in enumerate(waves) if wave.ended < wave.counts.total()), 0)
    begin = max(0, min(first - 2, len(waves) - _WAVES))
    shown = waves[begin : begin + _WAVES]
    return shown, begin, len(waves) - begin - len(shown)


def wave_name(wave: Wave) -> str:
    return f"{'back' if wave.is_way_back else 'wave'} {wave.number + 1}"


def _reached(wave: Wave) -> str:
    return f"{wave.counts[StepState.STEP_STATE_COMPLETED]} of {wave.counts.total()}"


def _rest(wave: Wave) -> str:
    rest = {
        state: count
        for state, count in wave.counts.items()
        if state != StepState.STEP_STATE_PENDING
    }
    return ", ".join(part for part in (rest_text(rest), wave.waits) if part)


def _lost_text(unfolding: Unfolding) -> str:
    return f"{str(unfolding.lost).rstrip('.')}. The operation goes on by itself; trying again …"


def _failure_line(step: OperationStep) -> str:
    return f"! {'  '.join(part for part in step_row(step) if part)}"


def there_text(unfolding: Unfolding) -> str:
    """`2 of 3 are there, 1 failed`, and how much of it was taken back."""
    counts, back = unfolding.counts(), unfolding.counts(is_way_back=True)
    reached, total = counts[StepState.STEP_STATE_COMPLETED], counts.total()
    if not total:  # its steps are no longer kept
        told = unfolding.operation.counts
        return f"{told.completed} of {told.steps} are there"
    rest = rest_text(counts)
    are = "is" if total == 1 else "are"
    text = f"{reached} of {total} {are} there" + (f", {rest}" if rest else "")
    if back:
        done = back[StepState.STEP_STATE_COMPLETED]
        text += f"; {done} of {back.total()} are back"
    return text


def end_lines(unfolding: Unfolding) -> Iterator[str]:
    """What an operation that has ended came to, and what can be done about the rest."""
    operation = unfolding.operation
    lasted = lasted_text(operation)
    yield there_text(unfolding) + (f", after {lasted}." if lasted else ".")
    if unfolding.is_reached:
        return
    yield click.style(standing_text(operation), fg=COLOURS.get(operation.phase))
    missing = list(unfolding.missing())
    if missing:
        headers = ("id", "state", "minor state", "why")
        yield from columns(headers, [step_row(each) for each in missing[:_MOST]], "  ")
    if len(missing) > _MOST:
        more = f"mds operation show {bare(operation.name)} --steps"
        yield f"  and {len(missing) - _MOST} more; all: {more}"
    if any(each.state == StepState.STEP_STATE_ERROR for each in missing):
        yield f"To try again what has failed: mds operation retry-failed {bare(operation.name)}"
