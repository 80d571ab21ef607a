"""What an order would do: its waves, what is there already, what is blocked and by whom, and
whom it would hit."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import click
from mds.v1.operation_pb2 import OrderVerb
from mds.v1.operation_plan_pb2 import OperationPlan, PlannedStep
from mds.v1.state_pb2 import State

from control_units.cli.operations.words import bare, seconds_text, verb_word
from control_units.cli.output.entries import some_names
from control_units.cli.output.problems import counted
from control_units.cli.output.tables import columns
from control_units.client.words import word_of

_MOST = 20
"""Waves, or units of a list, that are told one by one."""
_THINGS = 3
"""Things that are named of those that a wave waits for."""


def order_lines(verb: OrderVerb.ValueType, plan: OperationPlan) -> Iterator[str]:
    """The plan for people, ending with what matters most. Of one unit that nothing stands
    against it is one line."""
    yield from _step_lines(verb, plan)
    if plan.there:
        yield f"There already: {counted(len(plan.there), 'control_unit')}: {_ids(plan.there)}"
    if plan.blocked:
        title = f"Left out, as they are blocked: {counted(len(plan.blocked), 'control_unit')}"
        yield click.style(title, fg="magenta", bold=True)
        rows = [(bare(each.control_unit), _obstacle(each.by, each.why)) for each in plan.blocked]
        yield from _some(("id", "why"), rows)
    if plan.supersedes:
        yield f"Takes units over from: {', '.join(map(bare, plan.supersedes))}"
    if plan.hit:
        title = f"Blast radius: {counted(len(plan.hit), 'control_unit')} would be left running "
        yield click.style(f"{title}without what they require", fg="red", bold=True)
        rows = [(bare(each.control_unit), bare(each.through)) for each in plan.hit]
        yield from _some(("id", "requires"), rows)


def _step_lines(verb: OrderVerb.ValueType, plan: OperationPlan) -> Iterator[str]:
    word = verb_word(verb)
    takes = ""
    if plan.HasField("estimate"):
        takes = f", about {seconds_text(plan.estimate.ToTimedelta().total_seconds())}"
    if len(plan.steps) == 1:
        (step,) = plan.steps
        yield f"{word} {bare(step.control_unit)}, now {_state(step.state)}{takes}"
        return
    waves = _waves(plan.steps)
    count = f", in {counted(len(waves), 'wave')}" if len(waves) > 1 else ""
    yield click.style(f"{word} {counted(len(plan.steps), 'control_unit')}{count}{takes}", bold=True)
    rows = [_wave_row(number, steps) for number, steps in sorted(waves.items())]
    if len(rows) == 1:
        _, _, now, _, ids = rows[0]
        yield f"  {ids}; now {now}"
    elif rows:
        yield from _some(("wave", "units", "now", "after", ""), rows)


def _waves(steps: Iterable[PlannedStep]) -> dict[int, list[PlannedStep]]:
    waves: dict[int, list[PlannedStep]] = {}
    for step in steps:
        waves.setdefault(step.wave, []).append(step)
    return waves


def _wave_row(number: int, steps: Sequence[PlannedStep]) -> tuple[str, ...]:
    states = Counter(_state(step.state) for step in steps)
    now = ", ".join(f"{count} {word}" for word, count in states.most_common())
    waits = list(dict.fromkeys(thing for step in steps for thing in step.waits_for))
    more = f" and {len(waits) - _THINGS} more" if len(waits) > _THINGS else ""
    after = ", ".join(bare_unit(each) for each in waits[:_THINGS]) + more
    return (
        str(number + 1),
        str(len(steps)),
        now,
        after,
        _ids([step.control_unit for step in steps]),
    )


def _some(headers: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield from columns(headers, rows[:_MOST], "  ")
    if len(rows) > _MOST:
        yield f"  and {len(rows) - _MOST} more"


def _ids(names: Sequence[str]) -> str:
    few = 3
    return some_names(names[:few], count=len(names))


def _obstacle(by: str, why: str) -> str:
    return f"{bare_unit(by)} {why}" if by else why


def bare_unit(name: str) -> str:
    """A unit without its collection; a group (`RING/MAG/`) as it is."""
    return name.removeprefix("control_units/")


def _state(state: State.ValueType) -> str:
    return word_of(State, state) if state else "not known"
