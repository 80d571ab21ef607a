"""The table of a matrix of faults and loads, as Markdown that anyone can make again."""

import os
import platform
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.chaos.figures import done_of, percentile
from tests.chaos.goals import missed, told
from tests.chaos.rounds import Result

_COLUMNS = (
    "rounds", "violations", "without writes", "one writer", "without reads", "without pages",
    "streams resumed, p99", "current again", "writes before",
)  # fmt: skip
_STEPS = "steps done"
"""A column of loads that have any."""
_INTRODUCTION = """# What the cluster stands

Made by `python -m tests.chaos --report docs/reference/chaos.md`; it needs root and Debian's packages, and takes hours.
Each round brings a load on, waits until all is steady, puts a fault in, holds it for some seconds and heals it, and waits
until all is well. Clients have written down what they asked and what they were answered; a checker then decides: acknowledged
writes are there, writes with etags are linearizable, refusals say what was so, no server speaks of a mistake of its own, revisions are
gapless, watches are ordered, complete and resumable, a unit server has one holder, operations ended as planned. A violation is
any of that not being so. Leases are of 9 s instead of 20, so that some run out while a fault is in.

Times are the longest of a round: the median of the rounds, and the longest of all. *Without writes* is the time between two
acknowledged writes, whoever made them, from the fault on; *one writer* is the same of the writer whom it was longest for, as
of one who is on the wrong side of a cut; *writes before* is that of all in the 4 s before the fault: what the machine makes of
it by itself. *Streams resumed* is how long a watcher whose stream ended was without word. *Current again* counts from
the fault healed until every watcher, unit and operation is where it should be. *Steps done* counts those of operations that
came where they were to, of all that were ordered: a fault may let the time of some run out, and nothing else; no fault may not.
"""


_GOALS = """## Goals

| | at most | longest of all rounds | | under each load |
| --- | --: | --: | --- | --- |
"""


def report(tries: Sequence[Result]) -> str:
    """All results of one version."""
    results = [each for each in tries if not each.undecided]
    parts = [_INTRODUCTION, _machine(results, tries), _undecided(tries), _goals(results)]
    for load in dict.fromkeys(each.load for each in results):
        of_load = [each for each in results if each.load == load]
        units = ", ".join(sorted({f"{each.units:,}" for each in of_load}))
        parts.append(f"## Load: {load} ({units} units)\n\n{_table(of_load)}")
    if wrong := [each for each in tries if each.violations]:
        parts.append("## Violations\n\n" + "\n".join(map(_violations, wrong)))
    return "\n".join(parts)


def _goals(results: Sequence[Result]) -> str:
    late = [f"- {each}." for each in missed(results)]
    return "\n".join([_GOALS + "\n".join(told(results)), *([""] if late else []), *late, ""])


def _undecided(tries: Iterable[Result]) -> str:
    found = [each for each in tries if each.undecided]
    lines = [
        f"- {each.fault} under {each.load}, round {each.number}: {each.undecided.splitlines()[-1]}"
        for each in found
    ]
    head = "Tries of rounds that decided nothing, as the load or the cluster could not be brought up or ended, and were played again: "
    return "\n".join([f"{head}{len(found)}.", *lines, ""])


def _table(results: Sequence[Result]) -> str:
    """A row a fault."""
    by_fault: dict[str, list[Result]] = {}
    for each in results:
        by_fault.setdefault(each.fault, []).append(each)
    more = [_STEPS] if any(each.steps for each in results) else []
    rows = [["fault", *_COLUMNS, *more], ["---", *["--:"] * len([*_COLUMNS, *more])]]
    for fault, rounds in by_fault.items():
        own = _own_figures(rounds)
        steps = [_steps(rounds)] if more else []
        rows.append([f"{fault} ({own})" if own else fault, *_figures(rounds), *steps])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _figures(rounds: Sequence[Result]) -> Iterable[str]:
    resumed = [one for each in rounds for one in each.resumed_s]
    return (
        str(len(rounds)),
        str(sum(len(each.violations) for each in rounds)),
        _seconds([each.write_outage_s for each in rounds]),
        _seconds([each.one_writer_s for each in rounds]),
        _seconds([each.read_outage_s for each in rounds]),
        _seconds([each.page_outage_s for each in rounds]),
        f"{percentile(resumed, 0.99):.1f} s" if resumed else "none ended",
        _seconds([each.current_after_s for each in rounds]),
        _seconds([each.steady_write_s for each in rounds]),
    )


def _steps(rounds: Sequence[Result]) -> str:
    every = Counter[str]()
    for each in rounds:
        every.update(each.steps)
    return done_of(every)


def _own_figures(rounds: Sequence[Result]) -> str:
    found: dict[str, list[float]] = {}
    for each in rounds:
        for name, value in each.figures.items():
            found.setdefault(name, []).append(value)
    return "; ".join(f"{name}: {max(values):.1f}" for name, values in found.items())


def _seconds(figures: Sequence[float]) -> str:
    return f"{statistics.median(figures):.1f}, {max(figures):.1f} s"


def _violations(result: Result) -> str:
    told = "\n".join(result.violations)
    return (
        f"{result.fault} under {result.load}, round {result.number}:\n\n```\n{told[:4000]}\n```\n"
    )


def _machine(results: Sequence[Result], tries: Sequence[Result]) -> str:
    loads = [each.load_average for each in results]
    times = sorted(each.ended for each in results)
    return (
        f"{len(results)} rounds, {sum(len(each.violations) for each in tries)} violations. "
        f"Commit {results[-1].commit} (content {results[-1].content}), {times[0]} to {times[-1]}, on one machine for everything: "
        f"{this_machine()}; its load average at the end of a round was {min(loads):.1f} to {max(loads):.1f} "
        f"(median {statistics.median(loads):.1f}).\n"
    )


def this_machine() -> str:
    """What it has, for whoever reads figures from it."""
    memory = int(_told("/proc/meminfo")["MemTotal"].split()[0]) // (1 << 20)
    return (
        f"{os.cpu_count()} cores of {_told('/proc/cpuinfo').get('model name', 'unknown')}, "
        f"{memory} GiB, Linux {platform.release()}, Python {platform.python_version()}"
    )


def _told(file: str) -> Mapping[str, str]:
    lines = (line.partition(":") for line in Path(file).read_text().splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}
