"""What a filter is turned into SQL for: one transaction, as of one revision."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
    true,
)

from metadata_server.domain.filter.expression import Pattern, Term, Wanted
from metadata_server.domain.life.condition import NOT_CONVERGING
from metadata_server.domain.life.state import ERRORS, Contact, Health, State
from metadata_server.domain.life.timing import NEVER_SUSPECT_US
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.store.any_of import any_of
from metadata_server.store.filter.holding import holds_since
from metadata_server.store.filter.texts import fits, is_one_of, is_same
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.life.desires import behind
from metadata_server.store.life.observer import observer
from metadata_server.store.orchestration.maintenances import coverage_now, covered
from metadata_server.store.schema import (
    control_unit,
    control_unit_status,
    lease,
    name,
    session,
    unit_condition,
    unit_server_status,
)
from metadata_server.store.unit_of_work import UnitOfWork

FEW_KEYS = 500
"""So many keys of what is referred to are named one by one."""
NOBODYS = (State.UNSPECIFIED.value, State.UNLOADED.value)


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same value, as no index has it."""
    return column + ("" if isinstance(column.type, String) else 0)


@dataclass(eq=False)
class Scope:
    """One filter on its way to SQL.

    Attributes:
        revision: as of which other resources have their ids.
        now_us: that ages are counted from.
        led_by: terms by whose indexes rows are found; all others are looked at row by row. None:
            a database may choose.
        order: key that the list is sorted by; without a term that leads, its index does.
        suspect_us: an agent that has said nothing for longer is SUSPECT.
        keys: of what is referred to, as it was looked up for a term.
    """

    unit: UnitOfWork
    revision: int
    now_us: int
    led_by: frozenset[Term] | None = None
    order: str = "id"
    suspect_us: int = NEVER_SUSPECT_US
    keys: dict[tuple[Kind, tuple[Wanted, ...]], list[int]] = field(default_factory=dict)

    @property
    def is_sqlite(self) -> bool:
        return self.unit.database.is_sqlite

    def led(self, by: frozenset[Term], order: str) -> Scope:
        """The same, with what is known already, of a list whose rows are found by some terms."""
        found = copy(self)
        found.led_by, found.order = by, order
        return found

    def checked(
        self, column: ColumnElement[Any], term: Term, *, order: str = ""
    ) -> ColumnElement[Any]:
        """A column as an index has it, or not.

        Args:
            order: the one of the list's own indexes that has the column.
        """
        if self.led_by is None or term in self.led_by:
            return column
        return column if not self.led_by and order == self.order else unindexed(column)

    def id_passes(self, column: ColumnElement[str], wanted: Wanted) -> ColumnElement[bool]:
        """Of a column that has ids: others than ids equal none of them."""
        if isinstance(wanted, Pattern):
            if not all(BEGINS_AN_ID.match(piece) for piece in wanted.pieces):
                return false()
            return fits(column, wanted, is_sqlite=self.is_sqlite)
        return column == wanted if BEGINS_AN_ID.match(str(wanted)) else false()

    def text_passes(self, column: ColumnElement[str], wanted: Wanted) -> ColumnElement[bool]:
        if isinstance(wanted, Pattern):
            return fits(column, wanted, is_sqlite=self.is_sqlite)
        return is_same(column, str(wanted), is_sqlite=self.is_sqlite)

    def texts_pass(
        self, column: ColumnElement[str], wanted: Iterable[Wanted]
    ) -> ColumnElement[bool]:
        """That a text passes one of some."""
        wanted = list(dict.fromkeys(wanted))
        texts = [str(each) for each in wanted if not isinstance(each, Pattern)]
        same = [is_one_of(column, texts, is_sqlite=self.is_sqlite)] if texts else []
        fitting = (self.text_passes(column, each) for each in wanted if isinstance(each, Pattern))
        return any_of([*same, *fitting])

    def ids_pass(self, column: ColumnElement[str], wanted: Iterable[Wanted]) -> ColumnElement[bool]:
        """That an id passes one of some."""
        wanted = list(dict.fromkeys(wanted))
        texts = [str(each) for each in wanted if not isinstance(each, Pattern)]
        ids = [each for each in texts if BEGINS_AN_ID.match(each)]
        fitting = (self.id_passes(column, each) for each in wanted if isinstance(each, Pattern))
        return any_of([column.in_(ids), *fitting] if ids else fitting)

    def refers(self, column: ColumnElement[Any], kind: Kind, term: Term) -> ColumnElement[bool]:
        """Of a column with the key of another resource, which has a name at the revision."""
        nobody = any(
            each.passes("") if isinstance(each, Pattern) else each == "" for each in term.wanted
        )
        keys = self._keys_of(kind, term.wanted)
        # The index of one key has the ids of its units in their order.
        told = self.checked(column, term, order="id" if len(keys) == 1 else "")
        found = told.in_(keys if len(keys) <= FEW_KEYS else self._named(kind, term.wanted))
        return or_(found, column.is_(None)) if nobody else found

    def _keys_of(self, kind: Kind, wanted: tuple[Wanted, ...]) -> list[int]:
        """Keys of what has one of some names, looked up once for each filter; one more than
        FEW_KEYS, where there are more."""
        if (kind, wanted) not in self.keys:
            query = self._named(kind, wanted).limit(FEW_KEYS + 1)
            self.keys[kind, wanted] = sorted(self.unit.connection.scalars(query))
        return self.keys[kind, wanted]

    def _named(self, kind: Kind, wanted: tuple[Wanted, ...]) -> Select[Any]:
        named = self.names_of(kind)
        return select(named.c.key).where(self.ids_pass(named.c.id, wanted))

    def names_of(self, kind: Kind) -> FromClause:
        """The keys and ids that resources had at the revision."""
        if self.revision == self.unit.position.revision:
            return LAYOUTS[kind].table
        query = select(name.c.key, name.c.id).where(
            name.c.kind == kind.value,
            name.c.from_revision <= self.revision,
            or_(name.c.to_revision.is_(None), name.c.to_revision > self.revision),
        )
        return query.subquery()

    def keys_last_named(self, kind: Kind, wanted: Iterable[Wanted]) -> Select[Any]:
        """Of resources that have, or had last, an id that passes one of some."""
        later = name.alias("later")
        return select(name.c.key).where(
            name.c.kind == kind.value,
            self.ids_pass(name.c.id, wanted),
            ~exists().where(
                later.c.key == name.c.key, later.c.from_revision > name.c.from_revision
            ),
        )

    @cached_property
    def maintained(self) -> ColumnElement[bool]:
        """Passed by units that are in maintenance now."""
        return covered(self.unit, coverage_now(self.unit))

    @cached_property
    def behind(self) -> ColumnElement[bool]:
        """Passed by units that are on an older version of their template than they might be."""
        return behind(self.unit)

    @cached_property
    def holds_since(self) -> ColumnElement[int]:
        """When the first condition of a unit began to hold; NULL: none does."""
        return holds_since(self.unit)

    @cached_property
    def contacts(self) -> dict[tuple[str, int], Contact]:
        """By the last session of each unit server, and its key, as `contact_of` has it."""
        seen = observer(self.unit)
        query = (
            select(
                unit_server_status.c.session,
                unit_server_status.c.key,
                lease.c.contact,
                lease.c.ended,
                lease.c.beat_us,
            )
            .join(session, session.c.id == unit_server_status.c.session)
            .outerjoin(lease, lease.c.session == unit_server_status.c.session)
        )
        blind = self.unit.now_us < seen.blind_until_us
        found = {}
        for row in self.unit.connection.execute(query):
            unheard = blind and row.ended is False and row.beat_us < seen.blind_since_us
            found[row.session, row.key] = (
                Contact.UNKNOWN if unheard else Contact(row.contact or "NONE")
            )
        return found

    def has_contact(self, *wanted: str) -> ColumnElement[bool]:
        """Passed by units whose session has one of these contacts; those of a session that is
        not the last of its unit server have none."""
        column = control_unit_status.c.session
        others = sorted(each for (each, _), told in self.contacts.items() if told not in wanted)
        if Contact.NONE in wanted:
            return or_(column.is_(None), column.not_in(others))
        known = sorted(each for each, told in self.contacts.items() if told in wanted)
        those = [session for session, _ in known]
        if len(those) <= min(len(others), FEW_KEYS):
            # Sessions have no index there, their unit servers have.
            servers = sorted({server for _, server in known})
            return and_(control_unit_status.c.unit_server_key.in_(servers), column.in_(those))
        if len(those) <= len(others):
            return column.in_(those)
        return and_(column.in_(select(unit_server_status.c.session)), column.not_in(others))

    @cached_property
    def may_be_bad(self) -> ColumnElement[bool]:
        """Passed by all units of bad health, of whom indexes find some."""
        errs = control_unit_status.c.state.in_(sorted(each.value for each in ERRORS))
        return or_(self.has_contact(Contact.LOST), errs)

    @cached_property
    def health(self) -> ColumnElement[str]:
        """Of units joined with their statuses: `health_of`, word by word."""
        state = func.coalesce(control_unit_status.c.state, State.UNSPECIFIED.value)
        desired = control_unit.c.desired_state
        stuck = control_unit.c.key.in_(
            select(unit_condition.c.key).where(unit_condition.c.type == NOT_CONVERGING)
        )
        errs = state.in_(sorted(each.value for each in ERRORS))
        is_none = func.coalesce(self.has_contact(Contact.NONE), true())
        return case(
            (self.maintained, Health.GOOD.value),
            (self.has_contact(Contact.LOST), Health.BAD.value),
            (and_(~is_none, errs), Health.BAD.value),
            (self.has_contact(Contact.UNKNOWN), Health.UNKNOWN.value),
            (self.has_contact(Contact.SUSPECT), Health.WARNING.value),
            (and_(is_none, desired.not_in(NOBODYS)), Health.WARNING.value),
            (is_none, Health.GOOD.value),
            (or_(desired == State.UNSPECIFIED.value, desired == state), Health.GOOD.value),
            (stuck, Health.WARNING.value),
            else_=Health.CHANGING.value,
        )
