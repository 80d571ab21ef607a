"""What an order would do, as the server plans it, for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from mds.v1.operation_plan_pb2 import OperationPlan, PlannedStep
from mds.v1.state_pb2 import STATE_UNSPECIFIED

from webui import vocabulary
from webui.clock import duration_words
from webui.names import id_of, page_of
from webui.translation import _

# Units that are named one by one, of each list.
MOST_NAMED = 30
# Up to so many units an order is given by one button; beyond, their number is typed.
MOST_WITHOUT_COUNT = 10


@dataclass(frozen=True, slots=True)
class Named:
    """A unit, and what is to be said of it.

    Attributes:
        page: empty: it is a group of units.
    """

    id: str
    page: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Some:
    """The first of many."""

    units: tuple[Named, ...]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.units)


@dataclass(frozen=True, slots=True)
class Wave:
    """Units that begin together, as early as what they wait for lets them."""

    number: int
    units: Some
    now: str
    after: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it.

    Attributes:
        there: units that nothing has to be done about.
        blocked: units that are left out, each with the reason.
        is_stood_against: whether other units are why some are left out; one may go on even so.
        hit: running units that would be left without what they require.
        takes: how long, in words; empty: nobody can tell.
        plan: tells it from any other.
    """

    count: int
    waves: tuple[Wave, ...]
    there: Some
    blocked: Some
    is_stood_against: bool
    hit: Some
    supersedes: tuple[str, ...]
    takes: str
    plan: str

    @property
    def asks_for_count(self) -> bool:
        """Of many, and of few where others are left without what they require."""
        return self.count > MOST_WITHOUT_COUNT or self.hit.count > 0


def plan_of(plan: OperationPlan, last_words: Mapping[str, str]) -> Plan:
    """
    Args:
        last_words: what is to be said of units that nobody is in touch with, by name.
    """
    takes = ""
    if plan.HasField("estimate"):
        takes = duration_words(max(1, plan.estimate.ToTimedelta().total_seconds()))
    steps = sorted(plan.steps, key=lambda step: step.wave)
    waves = groupby(steps, key=lambda step: step.wave)
    return Plan(
        count=len(plan.steps),
        waves=tuple(_wave(number, list(each), last_words) for number, each in waves),
        there=some([named(name) for name in plan.there]),
        blocked=some(
            [named(each.control_unit, f"{each.by} {each.why}".strip()) for each in plan.blocked]
        ),
        is_stood_against=any(each.by for each in plan.blocked),
        hit=some(
            [
                named(
                    each.control_unit,
                    _("requires %(unit)s") % {"unit": id_of(each.through) or each.through},
                )
                for each in plan.hit
            ]
        ),
        supersedes=tuple(plan.supersedes),
        takes=takes,
        plan=plan.plan,
    )


def named(name: str, words: str = "") -> Named:
    return Named(id_of(name), page_of(name), words)


def _wave(number: int, steps: Sequence[PlannedStep], last_words: Mapping[str, str]) -> Wave:
    states = Counter(_now(step, last_words) for step in steps)
    after = dict.fromkeys(
        thing.removeprefix("control_units/") for step in steps for thing in step.waits_for
    )
    return Wave(
        number=number + 1,
        units=some([named(step.control_unit) for step in steps]),
        now=", ".join(f"{count} {word}" for word, count in states.most_common()),
        after=", ".join(after),
    )


def _now(step: PlannedStep, last_words: Mapping[str, str]) -> str:
    if step.state != STATE_UNSPECIFIED:
        return vocabulary.state(step.state).word
    return last_words.get(step.control_unit) or _("out of touch")


def some(units: Sequence[Named]) -> Some:
    return Some(tuple(units[:MOST_NAMED]), len(units))
