"""What the cluster shall stand, held against what it has stood."""

from collections.abc import Callable, Sequence
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
    lines = []
    for goal in GOALS:
        about = [each for each in results if goal.fault in ("", each.fault)]
        if about:
            figure = goal.figure(about)
            verdict = "held" if figure <= goal.most else "**not held**"
            lines.append(
                f"| {goal.what} | {goal.most:g}{goal.unit} | {figure:.3g}{goal.unit} | {verdict} |"
            )
    return lines
