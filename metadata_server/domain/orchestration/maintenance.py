"""Which control units are in maintenance, and what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.condition import IN_MAINTENANCE, Condition
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource

ORDERS = ("desired_state", "recover_count")
"""Fields of a unit by which people tell it what to do."""


class Turn(StrEnum):
    """What becomes of a maintenance by itself."""

    BEGUN = "BEGUN"
    OVER = "OVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance(Resource):
    """That units are worked on; `description` says why.

    Attributes:
        control_units: ids of units that it covers.
        unit_servers: ids; it covers all units declared for them.
        id_prefixes: it covers all units whose ids begin so.
        begin_time_us: by the database's clock; 0: from its creation on.
        end_time_us: likewise; 0: it lasts until it is deleted.
    """

    kind: ClassVar[Kind] = Kind.MAINTENANCE

    control_units: tuple[str, ...] = ()
    unit_servers: tuple[str, ...] = ()
    id_prefixes: tuple[str, ...] = ()
    begin_time_us: int = 0
    end_time_us: int = 0

    def lasts(self, now_us: int) -> bool:
        return self.begin_time_us <= now_us and not self.is_over(now_us)

    def is_over(self, now_us: int) -> bool:
        return 0 < self.end_time_us <= now_us

    def turn(self, since_us: int, now_us: int) -> Turn | None:
        """What has become of it between two times by itself; None: nothing, or it was not there
        yet."""
        if max(since_us, self.meta.create_time_us) < self.end_time_us <= now_us:
            return Turn.OVER
        if max(since_us, self.meta.create_time_us) < self.begin_time_us <= now_us:
            return Turn.BEGUN
        return None

    @property
    def since_us(self) -> int:
        return max(self.begin_time_us, self.meta.create_time_us)

    @property
    def until(self) -> str:
        """When it ends, for people, in UTC."""
        if not self.end_time_us:
            return "until it is ended"
        end = datetime.fromtimestamp(self.end_time_us / 1_000_000, UTC)
        return f"until {end:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """The maintenances that last at some time, by what they cover.

    Attributes:
        authors: who told of them, by their ids; who is not known is not there.
    """

    units: dict[str, Maintenance] = field(default_factory=dict)
    servers: dict[str, Maintenance] = field(default_factory=dict)
    prefixes: dict[str, Maintenance] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, maintenances: Iterable[Maintenance], now_us: int, authors: dict[str, str] | None = None
    ) -> Coverage:
        """What is covered now; by several, by the first of them."""
        coverage = cls(authors=authors or {})
        for each in sorted(maintenances, key=lambda each: each.id):
            if each.lasts(now_us):
                for names, found in (
                    (each.control_units, coverage.units),
                    (each.unit_servers, coverage.servers),
                    (each.id_prefixes, coverage.prefixes),
                ):
                    for name in names:
                        found.setdefault(name, each)
        return coverage

    @property
    def is_empty(self) -> bool:
        return not (self.units or self.servers or self.prefixes)

    def find(self, id: str, unit_server: str) -> Maintenance | None:
        """The maintenance of a unit.

        Args:
            unit_server: that the unit is declared for; empty: none.
        """
        found = self.units.get(id) or self.servers.get(unit_server)
        if found is not None:
            return found
        return next((m for prefix, m in self.prefixes.items() if id.startswith(prefix)), None)

    def condition(self, id: str, unit_server: str) -> Condition | None:
        """That a unit is in maintenance; None: it is not."""
        found = self.find(id, unit_server)
        if found is None:
            return None
        return Condition(
            type=IN_MAINTENANCE,
            reason="WorkedOn",
            message=f"{found.description} ({self._told(found)}).",
            since_us=found.since_us,
        )

    def _told(self, maintenance: Maintenance) -> str:
        author = self.authors.get(maintenance.id, "")
        return f"{maintenance.name}{f' by {author}' if author else ''}, {maintenance.until}"

    def refusals(
        self, before: ControlUnit, after: ControlUnit, changed: Collection[str]
    ) -> Iterator[WrongField]:
        """Orders to a unit that is left alone: who works on it must not be surprised, and who
        gives them must not wait for what does not come."""
        found = self.find(before.id, before.unit_server)
        if found is None:
            return
        for order in ORDERS:
            if order in changed:
                expected = (
                    f"{getattr(before, order)}, as it is: {before.name} is in maintenance "
                    f"({self._told(found)})"
                )
                yield WrongField(
                    order, str(getattr(after, order)), expected, "UNIT_IN_MAINTENANCE", found.name
                )
