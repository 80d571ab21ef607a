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
        most: that the figure may be; None: it is told, and has no limit.
        figure: None: these rounds say nothing of it, as no stream has ended.
    """

    what: str
    fault: str
    most: float | None
    unit: str
    figure: Callable[[Sequence[Result]], float | None]

    def told(self, figure: float | None) -> str:
        return "nothing ended" if figure is None else f"{figure:.3g}{self.unit}"


def _resumed_p99(results: Sequence[Result]) -> float | None:
    ended = [one for each in results for one in each.resumed_s]
    return percentile(ended, 0.99) if ended else None


def _without_writes(results: Sequence[Result]) -> float:
    return max(each.write_outage_s for each in results)


def _one_writer(results: Sequence[Result]) -> float:
    return max(each.one_writer_s for each in results)


def _refusal(results: Sequence[Result]) -> float:
    return max(each.figures.get("minority refuses", 0.0) for each in results)


NOTHING = "nothing"
"""The fault that is none: what a load does by itself."""
GOALS = (
    Goal("violations", "", 0, "", lambda results: sum(len(each.violations) for each in results)),
    Goal("a replica is killed: without writes", "replica killed", 1, " s", _without_writes),
    Goal("a replica is killed: one writer waited", "replica killed", None, " s", _one_writer),
    Goal("a replica is killed: streams resumed, p99", "replica killed", 3, " s", _resumed_p99),
    Goal("a replica is stopped: streams resumed, p99", "replica stopped", 4, " s", _resumed_p99),
    Goal("the database node that writes is killed: without writes", "writer killed", 3, " s",
         _without_writes),
    Goal("the database node that writes is killed: one writer waited", "writer killed", None, " s",
         _one_writer),
    Goal("a minority of the database refuses writes after", "writer cut from the others", 3, " s",
         _refusal),
)  # fmt: skip


def told(results: Sequence[Result]) -> list[str]:
    """A line a goal, as Markdown, of those that there are rounds for."""
    return [
        f"| {goal.what} | {_limit(goal)} | {goal.told(figure)} | {_verdict(goal, figure)} | "
        f"{_by_load(goal, results)} |"
        for goal, figure in _figures(results)
    ]


def missed(results: Sequence[Result]) -> list[str]:
    """Goals that were not held, in words: where, and whether the load holds them by itself."""
    return [
        f"{goal.what}: {goal.told(figure)}, at most {_limit(goal)}: {_where(goal, results)}"
        for goal, figure in _figures(results)
        if _is_beyond(goal, figure)
    ]


def _limit(goal: Goal) -> str:
    return "" if goal.most is None else f"{goal.most:g}{goal.unit}"


def _is_beyond(goal: Goal, figure: float | None) -> bool:
    return goal.most is not None and figure is not None and figure > goal.most


def _verdict(goal: Goal, figure: float | None) -> str:
    if goal.most is None or figure is None:
        return "no limit" if goal.most is None else "not known"
    return "**not held**" if _is_beyond(goal, figure) else "held"


def _figures(results: Sequence[Result]) -> Iterator[tuple[Goal, float | None]]:
    for goal in GOALS:
        if about := _about(goal, results):
            yield goal, goal.figure(about)


def _about(goal: Goal, results: Sequence[Result]) -> list[Result]:
    return [each for each in results if goal.fault in ("", each.fault)]


def _under_each_load(
    goal: Goal, results: Sequence[Result]
) -> Iterator[tuple[str, float | None, float | None]]:
    """Load, the figure under it, and what the load alone does, where nothing is broken; None: that
    is not known, or it is no question."""
    for load in dict.fromkeys(each.load for each in _about(goal, results)):
        under = [each for each in results if each.load == load]
        alone = [each for each in under if each.fault == NOTHING] if goal.fault else []
        yield load, goal.figure(_about(goal, under)), goal.figure(alone) if alone else None


def _by_load(goal: Goal, results: Sequence[Result]) -> str:
    return ", ".join(
        f"{load} {goal.told(figure).removesuffix(goal.unit)}"
        + (f" ({alone:.3g} without a fault)" if alone else "")
        for load, figure, alone in _under_each_load(goal, results)
    )


def _where(goal: Goal, results: Sequence[Result]) -> str:
    under = list(_under_each_load(goal, results))
    known = [(load, figure) for load, figure, _ in under if figure is not None]
    held = [load for load, figure in known if not _is_beyond(goal, figure)]
    words = [f"held under {', '.join(held)}"] if held else []
    for load, figure, alone in under:
        if _is_beyond(goal, figure):
            text = f"not held under {load} ({goal.told(figure)})"
            if _is_beyond(goal, alone):
                text += f", which does not hold it without a fault either ({goal.told(alone)})"
            elif alone is not None:
                text += f", which holds it without a fault ({goal.told(alone)})"
            words.append(text)
    return "; ".join(words)
