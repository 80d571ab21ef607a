"""Every fault under every load, some rounds each; goes on where an earlier run was ended."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.chaos.faults.fault import Fault
from tests.chaos.figures import done_of
from tests.chaos.loads.catalogue import make_load
from tests.chaos.rounds import Result, now, play
from tests.chaos.stage import ClusterStage
from tests.chaos.under_test import Version

TRIES = 2
MOST_UNDECIDED = 3
"""Cells one after the other of which nothing is decided: then it is this machine that is sick."""
UNITS = {"boot storm": 10_000, "operation": 1_000}
FEW_UNITS = 100
"""Of other loads: the fault matters there, not the size."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """One round that is to be."""

    fault: Fault
    load: str
    number: int
    units: int


class Results:
    """Of one version, in a file of all; a line a round."""

    def __init__(self, file: Path, version: Version, *, forget: bool = False) -> None:
        self._file = file
        self.version = version
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = file.read_bytes().splitlines() if file.exists() else []
        found = [msgspec.json.decode(line, type=Result) for line in lines]
        self.all = [each for each in found if each.content == version.content and not forget]

    def has(self, cell: Cell) -> bool:
        wanted = (cell.fault.name, cell.load, cell.number, cell.units)
        return any(
            wanted == (each.fault, each.load, each.number, each.units)
            for each in self.all
            if not each.undecided
        )

    def add(self, result: Result) -> Result:
        kept = msgspec.structs.replace(result, **self.version._asdict())
        self.all.append(kept)
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(kept) + b"\n")
        return kept


def cells(
    faults: Sequence[Fault], loads: Sequence[str], rounds: int, units: int | None
) -> Iterator[Cell]:
    """All first rounds first: a run that is ended early has seen everything once.

    Args:
        units: None: as many as each load is meant for.
    """
    for number in range(1, rounds + 1):
        for load in loads:
            for fault in faults:
                yield Cell(fault, load, number, units or UNITS.get(load, FEW_UNITS))


async def run_all(
    wanted: Sequence[Cell],
    results: Results,
    say: Callable[[str], None],
    version: Callable[[], Version],
) -> None:
    """Plays what is not yet among the results, on one cluster for as long as it is well.

    Args:
        version: of what is under test, now.

    Raises:
        RuntimeError: it is not that of the results any more, or nothing can be decided.
    """
    stages, undecided = _Stages(), 0
    try:
        for place, cell in enumerate(wanted, 1):
            if results.has(cell):
                continue
            for _ in range(TRIES):
                result = await _played(stages, cell)
                if (found := version()).content != results.version.content:
                    begun = results.version.commit
                    raise RuntimeError(f"{found.commit} is under test now; it was {begun}")
                say(_line(place, len(wanted), results.add(result)))
                if not result.undecided:
                    break
            undecided = undecided + 1 if result.undecided else 0
            if undecided == MOST_UNDECIDED:
                raise RuntimeError(f"nothing is decided of {undecided} cells one after the other")
    finally:
        await stages.clear()


class _Stages:
    """One cluster after the other, each for as long as it is well."""

    def __init__(self) -> None:
        self._stage: ClusterStage | None = None

    async def well(self) -> ClusterStage:
        if self._stage is not None and (self._stage.is_sick or self._stage.is_nearly_full):
            await self.clear()
        if self._stage is None:
            self._stage = ClusterStage()
            await self._stage.up()
        return self._stage

    @property
    def seen(self) -> tuple[str, ...]:
        """Violations of the present round so far."""
        return tuple(self._stage.observed.violations) if self._stage is not None else ()

    async def clear(self) -> None:
        stage, self._stage = self._stage, None
        if stage is not None:
            await stage.down()


async def _played(stages: _Stages, cell: Cell) -> Result:
    """What the round has shown; or why nothing, whatever that was: the run goes on."""
    try:
        stage = await stages.well()
        load = make_load(cell.load)
        result = await play(stage, cell.fault, load, number=cell.number, units=cell.units)
    except Exception as failure:  # noqa: BLE001 - also what nobody has thought of ends no run of hours
        seen = stages.seen
        try:
            await stages.clear()
        except Exception as another:  # noqa: BLE001
            failure.add_note(f"and its cluster does not end: {another!r}")
        return Result(
            fault=cell.fault.name, load=cell.load, number=cell.number, units=cell.units,
            violations=seen, undecided=_told(failure), ended=now(),
        )  # fmt: skip
    return result


def _line(place: int, count: int, result: Result) -> str:
    if result.undecided:
        what = f"{place}/{count} {result.fault} under {result.load}"
        seen = "".join(f"\n  {each[:3000]}" for each in result.violations)
        return f"{what}: not decided, and a new cluster is made:{seen}\n{result.undecided}"
    figures = "".join(f", {name} {value:.1f}" for name, value in result.figures.items())
    steps = f"; steps done {done_of(result.steps)}" if result.steps else ""
    head = (
        f"{place}/{count} {result.fault} under {result.load}: {len(result.violations)} violations; "
        f"without writes {result.write_outage_s:.1f} s (steady {result.steady_write_s:.1f}), reads "
        f"{result.read_outage_s:.1f} s, pages {result.page_outage_s:.1f} s; streams resumed within "
        f"{max(result.resumed_s, default=0):.1f} s; current after {result.current_after_s:.1f} s"
        f"{figures}{steps}; {result.records} records, load {result.load_average:.1f}"
    )
    lines = [f"  {each[:3000]}" for each in result.violations[:SHOWN]]
    if (more := len(result.violations) - SHOWN) > 0:
        lines.append(f"  … and {more} more")
    return "\n".join([head, *lines])


def _told(failure: Exception) -> str:
    return "".join(traceback.format_exception(failure))[-3000:]
