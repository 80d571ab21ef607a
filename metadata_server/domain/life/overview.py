"""The whole infrastructure at a glance: counts, the worst of each part, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from metadata_server.domain.change import Position
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import (
    OUT_OF_TOUCH,
    WORST_FIRST,
    Contact,
    Health,
    State,
    health_of,
    worst,
)

NO_AGENTS: Mapping[int, str] = MappingProxyType({})
ABNORMAL = (Health.BAD, Health.WARNING, Health.UNKNOWN)
"""Verdicts about what is not as it should be, worst first; who is on the way needs nobody."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a control unit stands: all that its verdict depends on, and the verdict."""

    state: State
    desired: State
    contact: Contact
    in_maintenance: bool = False
    is_stuck: bool = False
    health: Health = field(init=False, compare=False)

    def __post_init__(self) -> None:
        verdict = health_of(
            self.state,
            self.desired,
            self.contact,
            in_maintenance=self.in_maintenance,
            is_stuck=self.is_stuck,
        )
        object.__setattr__(self, "health", verdict)

    @property
    def cause(self) -> str:
        """Why it is not good, as it stands after a number: `LOST`, `in FATAL_ERROR`."""
        health = self.health
        if self.contact is Contact.LOST:
            return "LOST"
        if health is Health.BAD:
            return f"in {self.state}"
        if health is Health.CHANGING:
            return f"not yet {self.desired}"
        if health is Health.WARNING and self.contact is Contact.NONE:
            return "without a process"
        if health is Health.WARNING and self.contact is Contact.ALIVE:
            return f"stuck before {self.desired}"
        return str(self.contact)

    def since_us(self, *, silent_us: int, state_us: int, stuck_us: int) -> int:
        """Since when its cause holds; 0: that is not known, or it is only on its way.

        Args:
            silent_us: since when nothing comes from its session.
            state_us: since when it is in its state.
            stuck_us: since when it counts as stuck.
        """
        if self.health in (Health.GOOD, Health.CHANGING):
            return 0
        if self.contact is Contact.LOST:
            return silent_us
        if self.health is Health.BAD:
            return state_us
        return stuck_us if self.contact is Contact.ALIVE else silent_us


@dataclass(frozen=True, slots=True)
class Group:
    """How many units of one zone and unit server stand alike; unit server 0: none.

    Attributes:
        zone: or what else the units are grouped by.
        since_us: since when the first of them does; 0: that is not known.
    """

    zone: str
    unit_server_key: int
    standing: Standing
    count: int
    since_us: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """Why some units are not good.

    Attributes:
        since_us: since when the first of them is so; 0: that is not known.
    """

    why: str
    count: int
    health: Health
    since_us: int = 0


@dataclass(frozen=True)
class Tally:
    """Counts of control units.

    Attributes:
        since_us: since when the first of some stands as it does; those that are not named: that
            is not known.
    """

    standings: Mapping[Standing, int] = field(default_factory=dict)
    since_us: Mapping[Standing, int] = field(default_factory=dict)

    @classmethod
    def of(cls, groups: Iterable[Group]) -> Tally:
        standings: dict[Standing, int] = {}
        since_us: dict[Standing, int] = {}
        for group in groups:
            standing = group.standing
            standings[standing] = standings.get(standing, 0) + group.count
            if group.since_us:
                since_us[standing] = min(group.since_us, since_us.get(standing, group.since_us))
        return cls(standings, since_us)

    @property
    def units(self) -> int:
        return sum(self.standings.values())

    @property
    def in_maintenance(self) -> int:
        """How many are left alone; they count as good."""
        return sum(count for each, count in self.standings.items() if each.in_maintenance)

    @cached_property
    def healths(self) -> Mapping[Health, int]:
        """Worst first; only what there is."""
        counts: Counter[Health] = Counter()
        for standing, count in self.standings.items():
            counts[standing.health] += count
        return {health: counts[health] for health in WORST_FIRST if counts[health]}

    @cached_property
    def states(self) -> Mapping[State, int]:
        """In the order of a life; only what there is."""
        counts: Counter[State] = Counter()
        for standing, count in self.standings.items():
            counts[standing.state] += count
        return {state: counts[state] for state in State if counts[state]}

    @property
    def contacts(self) -> Mapping[Contact, int]:
        counts: Counter[Contact] = Counter()
        for standing, count in self.standings.items():
            counts[standing.contact] += count
        return counts

    @property
    def health(self) -> Health:
        return worst({standing.health for standing in self.standings})

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """Why it is not good, worst first; what is called alike is one."""
        found: dict[str, Cause] = {}
        for health in WORST_FIRST[:-1]:
            alike = sorted(
                (standing.cause, count, self.since_us.get(standing, 0))
                for standing, count in self.standings.items()
                if standing.health is health
            )
            for why, count, since_us in alike:
                known = found.get(why, Cause(why, 0, health))
                times = [time for time in (known.since_us, since_us) if time]
                found[why] = Cause(why, known.count + count, known.health, min(times, default=0))
        return tuple(found.values())

    @property
    def why(self) -> str:
        """Why it is not good: `2 of 14 LOST, 1 in FATAL_ERROR`; empty: it is good."""
        if not self.causes:
            return ""
        first, *rest = self.causes
        parts = [f"{first.count} of {self.units} {first.why}"]
        return ", ".join([*parts, *(f"{each.count} {each.why}" for each in rest)])


@dataclass(frozen=True, slots=True)
class ZoneSummary:
    """Control units whose ids begin alike; name empty: those whose id has no slash."""

    name: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class UnitServerSummary:
    """A unit server with the units declared for it.

    Attributes:
        in_maintenance: itself, with all of its units.
        agent: id of the agent that launches it; empty: none.
    """

    session: Session
    tally: Tally
    in_maintenance: bool = False
    agent: str = ""

    @property
    def health(self) -> Health:
        """The worst below, and what its own contact says, unless it is left alone itself, or
        with all of its units."""
        if self.in_maintenance or 0 < self.tally.units == self.tally.in_maintenance:
            return self.tally.health
        own = OUT_OF_TOUCH.get(self.session.contact, Health.GOOD)
        return worst({own, self.tally.health})


@dataclass(frozen=True, slots=True)
class AbnormalUnit:
    """One unit that is not as it should be.

    Attributes:
        unit_server: id; empty: none.
        message: why, in the unit's words.
    """

    id: str
    unit_server: str
    standing: Standing
    state_time_us: int
    message: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Overview:
    """The whole infrastructure as of one position.

    Attributes:
        zones: worst first, then by name.
        unit_servers: worst first, then by id.
        abnormal: worst first, those that err before others, then by id; the first of many.
        blind_until_us: until when nobody can say who is in touch; 0: the server sees.
    """

    position: Position
    time_us: int
    tally: Tally
    zones: tuple[ZoneSummary, ...]
    unit_servers: tuple[UnitServerSummary, ...]
    abnormal: tuple[AbnormalUnit, ...]
    blind_until_us: int = 0

    @property
    def abnormal_total(self) -> int:
        return sum(self.tally.healths.get(health, 0) for health in ABNORMAL)

    @property
    def unit_server_contacts(self) -> Mapping[Contact, int]:
        return Counter(summary.session.contact for summary in self.unit_servers)


def zones_of(groups: Iterable[Group]) -> tuple[ZoneSummary, ...]:
    by_name: dict[str, list[Group]] = {}
    for group in groups:
        by_name.setdefault(group.zone, []).append(group)
    zones = [ZoneSummary(name, Tally.of(found)) for name, found in by_name.items()]
    return tuple(sorted(zones, key=lambda zone: (rank(zone.tally.health), zone.name)))


def unit_servers_of(
    sessions: Iterable[Session],
    groups: Iterable[Group],
    *,
    in_maintenance: Collection[str] = (),
    agents: Mapping[int, str] = NO_AGENTS,
) -> tuple[UnitServerSummary, ...]:
    """Worst first.

    Args:
        in_maintenance: ids of those that are left alone.
        agents: ids of those that launch them, by key.
    """
    by_server: dict[int, list[Group]] = {}
    for group in groups:
        by_server.setdefault(group.unit_server_key, []).append(group)
    summaries = [
        UnitServerSummary(
            session,
            Tally.of(by_server.get(session.unit_server_key, ())),
            session.unit_server in in_maintenance,
            agents.get(session.unit_server_key, ""),
        )
        for session in sessions
    ]
    return tuple(sorted(summaries, key=lambda each: (rank(each.health), each.session.unit_server)))


def rank(health: Health) -> int:
    """0 for the worst."""
    return WORST_FIRST.index(health)
