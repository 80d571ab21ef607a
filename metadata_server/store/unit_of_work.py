"""One transaction: what it reads, what it will write, and the revision that it claims.

The order is always the same: the resources are read and locked, sorted by id; the checks are
made; then the first `save` claims the revision; what was saved is written at the end, in
multi-row statements. So the counter is locked for a few statements only, and the order of
revisions is the order in which changes become visible.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import String, Table, cast, literal, text
from sqlalchemy.engine import Connection

from metadata_server.domain.access.role import ROLE_OF_KIND, Role, role_required
from metadata_server.domain.change import Action, Caller, Position
from metadata_server.domain.intent.facility import Policy
from metadata_server.domain.intent.policy import Touched, check_reason, touched
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.resource import Meta, Resource
from metadata_server.store import schema
from metadata_server.store.database import Database
from metadata_server.store.images import content_of, image_of, last_metas, row_of
from metadata_server.store.keys import Keys, batches, new_key
from metadata_server.store.kinds import LAYOUTS, Layout
from metadata_server.store.resources import Resources
from metadata_server.store.revision import Moment, claim_revision, read_moment
from metadata_server.store.spans import close_spans, ended_spans, open_first_spans, open_spans
from metadata_server.store.upsert import insert_rows, upsert_rows

ROWS_A_STATEMENT = 1000
SILENCE_S = 1.25
"""A quarter of what the database allows a writer that says nothing."""


def ignore(count: int) -> None:
    """Nobody asks how far the writing is."""


def nobody_waits() -> None:
    """Whoever is ready to write may."""


class LostRace(Exception):
    """A row was not as it had been read; the whole work runs again."""


class UnitOfWork:
    """What a use case has in its hands during one transaction.

    Attributes:
        now_us: the database's clock when the transaction began.
        caller: who changes things; None: the system itself (reports, sweeps).
        on_written: told how many resources have been written, again and again.
        before_claim: called once, just before the revision is claimed.
    """

    def __init__(self, connection: Connection, database: Database, caller: Caller | None) -> None:
        self.connection = connection
        self.database = database
        self.caller = caller
        self.keys = Keys(connection)
        self._begun = read_moment(connection, database)
        self._claimed: Moment | None = None
        self._created: dict[int, Resource] = {}
        self._changed: dict[int, Resource] = {}
        self._deleted: dict[int, Resource] = {}
        self._status_images: list[dict[str, Any]] = []
        self.on_written: Callable[[int], None] = ignore
        self.before_claim: Callable[[], None] = nobody_waits
        self._policies: list[Policy] | None = None
        self._word_s = time.monotonic()
        self._relied_on: list[Callable[[UnitOfWork], None]] = []
        self.now_us = self._begun.now_us
        self.resources = Resources(connection, self.keys)

    @property
    def position(self) -> Position:
        """The position of this transaction's change, or where it began; where a call is only
        answered again, of what the first one did."""
        return (self._claimed or self._begun).position

    @property
    def has_claimed(self) -> bool:
        return self._claimed is not None

    def claim(self) -> Moment:
        """The revision of this transaction; claimed at the first call."""
        if self._claimed is None:
            self.before_claim()
            self._claimed = claim_revision(self.connection, self.database)
            self._policies = None  # from here on all that came before are to be seen
        return self._claimed

    def answer_again(self, revision: int) -> None:
        """Nothing is to be done: the first call with the same request id has, at this revision.
        What others have done since is none of its answer."""
        first = replace(self._begun.position, revision=revision)
        self._begun = replace(self._begun, position=first)

    def save(self, resource: Resource) -> Resource:
        """Creates a resource (its key is 0) or changes it; it is stamped and returned.

        A resource whose id is not the one that its key has now is renamed: its history stays,
        and old readings find it under the old name. That the new id is free is the caller's to
        check. Every lock must be held by now: what a later save relies on is read before the
        first.
        """
        meta = resource.meta
        created = meta.key == 0
        if created:
            meta = replace(meta, key=new_key(), create_time_us=self.claim().now_us)
        return self._stamp(resource, meta, created=created)

    def restore(self, resources: Iterable[Resource]) -> list[Resource]:
        """Creates deleted resources again under the keys that they had: each goes on from its
        last image, with the same time of creation and the next generation.

        Raises:
            ValueError: nothing is known of a key; its history has been trimmed away.
        """
        wanted = list(resources)
        last = last_metas(self.connection, [resource.meta.key for resource in wanted])
        unknown = [resource.name for resource in wanted if resource.meta.key not in last]
        if unknown:
            raise ValueError(f"no history is kept of the keys of {', '.join(unknown)}")
        return [self._stamp(each, last[each.meta.key], created=True) for each in wanted]

    def _stamp(self, resource: Resource, meta: Meta, *, created: bool) -> Resource:
        moment = self.claim()
        stamped = replace(
            resource,
            meta=replace(
                meta,
                generation=meta.generation + 1,
                revision=moment.position.revision,
                update_time_us=moment.now_us,
            ),
        )
        key = stamped.meta.key
        self.keys.learn(resource.kind, resource.id, key)
        (self._created if created or key in self._created else self._changed)[key] = stamped
        return stamped

    def delete(self, resource: Resource) -> None:
        """Deletes a resource; its history and its name's past stay."""
        moment = self.claim()
        gone = replace(resource, meta=replace(resource.meta, revision=moment.position.revision))
        self._deleted[resource.meta.key] = gone
        self.keys.forget(resource.kind, resource.id)

    def add_status_image(self, kind: Kind, key: int, session: str, image: str) -> None:
        """One small image of what a unit or a session has become, at this revision."""
        moment = self.claim()
        self._status_images.append(
            {
                "time_us": moment.now_us,
                "kind": kind.value,
                "key": key,
                "session": session,
                "image": image,
            }
        )

    def check_reason(self, changed: Iterable[Touched]) -> None:
        """Passes when the caller says why, or no policy wants that for what is changed; the
        system itself needs no reason. A trial has to ask; `flush` asks again, by the policies
        that there are once the revision is claimed.

        Raises:
            Refused: REASON_REQUIRED.
        """
        if self.caller is None or self.caller.reason.strip():
            return
        if self._policies is None:
            self._policies = self.resources.where(Policy)
        check_reason(self.caller.reason, self._policies, changed)

    def check_role(self, changed: Iterable[Touched]) -> None:
        """Passes when the caller's role does for the kinds of what is changed, whatever the call.
        A trial has to ask; `flush` asks again.

        Raises:
            Refused: ROLE_REQUIRED.
        """
        if self.caller is None:
            return
        role = self.caller.principal.role
        for each in changed:
            needed = ROLE_OF_KIND.get(each.kind, Role.VIEWER)
            if not role.covers(needed):
                raise role_required(f"A change of {each.name}", needed, role)

    def give_word(self) -> None:
        """Says something to the database, if nothing was said for long: it takes the locks of a
        writer that stands still, and one that thinks about 100,000 resources may seem to."""
        now_s = time.monotonic()
        if now_s - self._word_s > SILENCE_S:
            self._word_s = now_s
            self.connection.execute(text("SELECT 1"))

    def rely_on(self, check: Callable[[UnitOfWork], None]) -> None:
        """Has something that was read without a lock checked again once the revision is claimed,
        when all who came before are to be seen.

        Args:
            check: raises `LostRace` where it is no longer so.
        """
        self._relied_on.append(check)

    def flush(self) -> None:
        """Writes what was saved; called once, at the end of the transaction.

        Raises:
            Refused: REASON_REQUIRED, ROLE_REQUIRED, NEWER_CONTENT.
            LostRace: something that the work relied on has changed.
        """
        if self._claimed is None:
            return
        for check in self._relied_on:
            check(self)
        self.check_role(self._touched())
        self.check_reason(self._touched())
        number = self._claimed.position.revision
        history: list[dict[str, Any]] = []
        for kind, layout in LAYOUTS.items():
            created = [r for r in self._created.values() if r.kind is kind]
            changed = [r for r in self._changed.values() if r.kind is kind]
            rows = {}
            for resource in (*created, *changed):
                self.give_word()
                content = content_of(resource, layout, self.keys.key_of)
                if (newer := self.resources.newer.get(resource.meta.key)) is not None:
                    content = newer.kept_in(content, resource.name)
                rows[resource.meta.key] = row_of(resource, content, layout)
                action = Action.CREATED if resource.meta.key in self._created else Action.UPDATED
                history.append(self._entry(resource, action, image_of(resource, content)))
            self._delete(layout)
            self._update(layout, [rows[r.meta.key] for r in changed])
            fresh = [rows[r.meta.key] for r in created]
            for some in batches(fresh, ROWS_A_STATEMENT):
                insert_rows(self.connection, layout.table, some)
                self.on_written(len(some))
        for kind in reversed(DECLARED):  # what refers to others goes before them
            gone = (each for each in self._deleted.values() if each.kind is kind)
            history += [self._entry(resource, Action.DELETED, "{}") for resource in gone]
        self._write_history(number, history)
        for layout in LAYOUTS.values():
            if any(each.kind is layout.kind for each in self._created.values()):
                open_first_spans(self.connection, layout, number)

    def _delete(self, layout: Layout) -> None:
        gone = sorted(r.meta.key for r in self._deleted.values() if r.kind is layout.kind)
        for keys in batches(gone):
            self.connection.execute(layout.table.delete().where(layout.table.c.key.in_(keys)))
            self.on_written(len(keys))
        close_spans(self.connection, gone, self.position.revision)

    def _touched(self) -> Iterator[Touched]:
        """Everything that was saved or deleted; what was renamed or moved also as it was."""
        for resource in (*self._created.values(), *self._changed.values()):
            yield touched(resource)
            span = self.resources.held.get(resource.meta.key)
            if span is not None:
                id, template, *_ = *span, None
                known = self.keys.id_of(Kind.TEMPLATE, template) if template else ""
                yield Touched(resource.kind, id, known or touched(resource).template)
        yield from map(touched, self._deleted.values())

    def _entry(self, resource: Resource, action: Action, image: str) -> dict[str, Any]:
        return {
            "kind": resource.kind.value,
            "key": resource.meta.key,
            "action": action.value,
            "image": image,
        }

    def _update(self, layout: Layout, rows: list[dict[str, Any]]) -> None:
        """Writes changed rows, and the ends of spans that they bring.

        A single one tests in its own WHERE that nobody changed it since it was read; many rely
        on their locks and on the one counter row that all writers change.
        """
        if not rows:
            return
        ended = ended_spans(self.connection, layout, rows, self.resources.held)
        if len(rows) > 1:
            self._park(layout, ended)
            for some in batches(rows, ROWS_A_STATEMENT):
                upsert_rows(self.connection, layout.table, some)
                self.on_written(len(some))
        else:
            self._update_one(layout.table, rows[0])
            self.on_written(1)
        moved = [row["key"] for row in ended]
        close_spans(self.connection, moved, self.position.revision)
        open_spans(self.connection, layout, moved, self.position.revision)

    def _update_one(self, table: Table, row: dict[str, Any]) -> None:
        statement = table.update().where(
            table.c.key == row["key"], table.c.generation == row["generation"] - 1
        )
        if self.connection.execute(statement.values(**row)).rowcount != 1:
            raise LostRace

    def _park(self, layout: Layout, rows: Iterable[Mapping[str, Any]]) -> None:
        """Takes ids away from those that get others, so that two may swap theirs."""
        table, held = layout.table, self.resources.held
        renamed = [row["key"] for row in rows if held.get(row["key"], ("",))[0] != row["id"]]
        for keys in batches(sorted(renamed)):
            nobodys = literal(" ").concat(cast(table.c.key, String))
            self.connection.execute(table.update().where(table.c.key.in_(keys)).values(id=nobodys))

    def _write_history(self, number: int, history: list[dict[str, Any]]) -> None:
        for ordinal, entry in enumerate(history):
            entry |= {"revision": number, "ordinal": ordinal}
        insert_rows(self.connection, schema.history, history)
        first = len(history)
        images = [
            {"revision": number, "ordinal": first + ordinal, **image}
            for ordinal, image in enumerate(self._status_images)
        ]
        insert_rows(self.connection, schema.status_history, images)
        if self.caller is not None and self._claimed is not None:
            insert_rows(self.connection, schema.change_set, [self._change_set(self._claimed)])

    def _change_set(self, moment: Moment) -> dict[str, Any]:
        caller = self.caller
        assert caller is not None
        return {
            "revision": moment.position.revision,
            "time_us": moment.now_us,
            "author": caller.principal.name,
            "authenticated": caller.principal.authenticated,
            "reason": caller.reason,
            "request_id": caller.request_id,
            "method": caller.method,
            "client": caller.client,
        }
