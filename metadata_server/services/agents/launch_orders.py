"""Orders to launch and to end unit servers: changes of what is declared, so that they outlive
agents and servers alike; one method a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.unit_server import Launch, LaunchOrder, UnitServer
from metadata_server.domain.resource import Resource
from metadata_server.services.agents.logs import agent_of
from metadata_server.services.intent.answers import first_answer
from metadata_server.services.intent.single import decide_change, finish
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


def started(launch: Launch) -> Launch:
    return replace(launch, order=LaunchOrder.RUN)


def stopped(launch: Launch) -> Launch:
    return replace(launch, order=LaunchOrder.STOP)


def restarted(launch: Launch) -> Launch:
    return replace(launch, order=LaunchOrder.RUN, restart_count=launch.restart_count + 1)


class LaunchOrders:
    """Gives orders to agents."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def give(
        self, caller: Caller, id: str, order: Callable[[Launch], Launch], *, validate_only: bool
    ) -> Answer[UnitServer]:
        """Changes how a unit server is launched.

        Args:
            order: `started`, `stopped` or `restarted`.

        Raises:
            Refused: UNIT_SERVER_NOT_FOUND, NO_AGENT, REASON_REQUIRED.
        """

        def ordered(before: Resource) -> Resource:
            server = cast("UnitServer", before)
            agent_of(server)
            return replace(server, launch=order(cast("Launch", server.launch)))

        def work(unit: UnitOfWork) -> UnitServer:
            if (first := first_answer(unit, validate_only=validate_only)) is not None:
                return cast("UnitServer", first)
            decision = decide_change(unit, unit.resources.get(UnitServer, id), ordered)
            return cast("UnitServer", finish(unit, decision, validate_only=validate_only))

        return await self._store.transact(work, caller=caller)
