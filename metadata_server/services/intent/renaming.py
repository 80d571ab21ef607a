"""Control units get other names, or stand model for new ones; one method a call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.bundle import Item, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.answers import first_answer
from metadata_server.services.intent.etags import check_etag
from metadata_server.services.intent.planning import Planning
from metadata_server.services.intent.single import decide, finish
from metadata_server.services.watching.followers import (
    followers,
    following,
    named_in,
    refuse_problems,
)
from metadata_server.store.past.called_now import called_now
from metadata_server.store.past.past import resource_as_of
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """What a copy is of, and where it goes.

    Attributes:
        unit_server: of the copy; empty: that of the original.
        as_of: the original is taken as it was then; empty: as it is.
    """

    id: str
    new_id: str
    unit_server: str = ""
    as_of: str = ""


class Renaming:
    """Renames and copies control units."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def rename(
        self, caller: Caller, id: str, new_id: str, *, etag: str, validate_only: bool
    ) -> Answer[ControlUnit]:
        """Gives a unit another id: its key, and with it its history, life and status, stays.
        Units that depend on it, and lists that it is on, name it so in the same change.

        Raises:
            Refused: CONTROL_UNIT_NOT_FOUND, ALREADY_EXISTS, ETAG_REQUIRED, ETAG_MISMATCH; what
                stands against a change of those that follow it.
        """

        def work(unit: UnitOfWork) -> ControlUnit:
            if (first := first_answer(unit, validate_only=validate_only)) is not None:
                return cast("ControlUnit", first)
            following = followers(unit, id, new_id) if new_id != id else []
            # All at once, in the order that all writers keep.
            units = [item.resource.id for item in following if item.resource is not None]
            found = unit.resources.find(ControlUnit, [id, new_id, *units], lock=True)
            before = found.get(id) or unit.resources.get(ControlUnit, id)
            check_etag(unit, before, etag)
            refuse_taken(found.get(new_id) if new_id != id else None)
            after = replace(before, id=new_id)
            item = Item("", after.name, after, key=before.meta.key)
            planning = Planning(unit, on_conflict=OnConflict.REPLACE)
            decision, *others = planning.decide([item, *following])
            refuse_problems(decision, others)
            result = finish(unit, decision, others, validate_only=validate_only)
            return cast("ControlUnit", result)

        return await self._store.transact(work, caller=caller)

    async def copy(
        self, caller: Caller, wanted: Copying, *, validate_only: bool
    ) -> Answer[ControlUnit]:
        """Creates a unit that is declared as another one is, or was. Nobody has asked for the
        new one to run yet, so its desired state is not taken over. Units that it depends on are
        named as they are called by now.

        Raises:
            Refused: CONTROL_UNIT_NOT_FOUND, ALREADY_EXISTS, and what its content breaks.
        """

        def work(unit: UnitOfWork) -> ControlUnit:
            if (first := first_answer(unit, validate_only=validate_only)) is not None:
                return cast("ControlUnit", first)
            model, position = resource_as_of(unit, ControlUnit, wanted.id, wanted.as_of)
            model = following(model, called_now(unit, named_in(model), position.revision))
            refuse_taken(unit.resources.find(ControlUnit, [wanted.new_id]).get(wanted.new_id))
            after = replace(
                model,
                id=wanted.new_id,
                unit_server=wanted.unit_server or model.unit_server,
                desired_state=State.UNSPECIFIED,
                recover_count=0,
            )
            decision = decide(unit, after)
            # Who came since that look is seen only now, by the locking read.
            refuse_taken(decision.before)
            return cast("ControlUnit", finish(unit, decision, validate_only=validate_only))

        return await self._store.transact(work, caller=caller)


def refuse_taken(holder: Resource | None) -> None:
    """Passes when nothing has the new name.

    Raises:
        Refused: ALREADY_EXISTS.
    """
    if holder is not None:
        name = Kind.CONTROL_UNIT.name_of(holder.id)
        raise Refused.exists(
            f"{name} is there already, since revision {holder.meta.revision}. Choose another "
            "name, or rename or delete that one first.",
            name=name,
        )
