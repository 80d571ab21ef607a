"""What the cluster shall stand, held against what it has stood."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.figures import percentile
from tests.chaos.rounds import Result


@dataclass(frozen=True, slots=True)
class Goal:
    """
    Attributes:
        fault: rounds that it is about; empty: all.
        most: that the figure may be.
    """

    what: str
    fault: str
    most: float
    unit: str
    figure: Callable[[Sequence[Result]], float]


def _resumed_p99(results: Sequence[Result]) -> float:
    return percentile([one for each in results for one in each.resumed_s], 0.99)


def _without_writes(results: Sequence[Result]) -> float:
    return max(each.write_outage_s for each in results)


def _refusal(results: Sequence[Result]) -> float:
    return max(each.figures.get("minority refuses", 0.0) for each in results)


NOTHING = "nothing"
"""The fault that is none: what a load does by itself."""
GOALS = (
    Goal("violations", "", 0, "", lambda results: sum(len(each.violations) for each in results)),
    Goal("a replica is killed: without writes", "replica killed", 1, " s", _without_writes),
    Goal("a replica is killed: streams resumed, p99", "replica killed", 3, " s", _resumed_p99),
    Goal("a replica is stopped: streams resumed, p99", "replica stopped", 4, " s", _resumed_p99),
    Goal("the database node that writes is killed: without writes", "writer killed", 3, " s",
         _without_writes),
    Goal("a minority of the database refuses writes after", "writer cut from the others", 3, " s",
         _refusal),
)  # fmt: skip


def held(results: Sequence[Result]) -> list[str]:
    """A line a goal, as Markdown, of those that there are rounds for."""
    return [
        f"| {goal.what} | {goal.most:g}{goal.unit} | {figure:.3g}{goal.unit} | "
        f"{'held' if figure <= goal.most else '**not held**'} | {_by_load(goal, results)} |"
        for goal, figure in _figures(results)
    ]


def missed(results: Sequence[Result]) -> list[str]:
    """Goals that were not held, in words."""
    return [
        f"{goal.what}: {figure:.3g}{goal.unit}, at most {goal.most:g}{goal.unit}"
        for goal, figure in _figures(results)
        if figure > goal.most
    ]


def _figures(results: Sequence[Result]) -> Iterator[tuple[Goal, float]]:
    for goal in GOALS:
        if about := _about(goal, results):
            yield goal, goal.figure(about)


def _about(goal: Goal, results: Sequence[Result]) -> list[Result]:
    return [each for each in results if goal.fault in ("", each.fault)]


def _by_load(goal: Goal, results: Sequence[Result]) -> str:
    """The figure under each load; beside it what the load alone does, where nothing is broken."""
    told = []
    for load in dict.fromkeys(each.load for each in _about(goal, results)):
        under = [each for each in results if each.load == load]
        text = f"{load} {goal.figure(_about(goal, under)):.3g}"
        alone = [each for each in under if each.fault == NOTHING]
        if goal.fault and alone and (figure := goal.figure(alone)) > 0:
            text += f" ({figure:.3g} without a fault)"
        told.append(text)
    return ", ".join(told)
