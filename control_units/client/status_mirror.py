"""A copy of statuses of control units that stays current, with their contact and health."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from mds.v1.control_unit_pb2 import ControlUnitStatus, ListControlUnitStatusesRequest
from mds.v1.kind_pb2 import Kind
from mds.v1.position_pb2 import Position
from mds.v1.state_pb2 import Contact
from mds.v1.view_pb2 import View
from mds.v1.watch_pb2 import Event, EventAction

from control_units.client.backoff import Backoff
from control_units.client.calls import Caller
from control_units.client.changes import Changes
from control_units.client.collections import Watched
from control_units.client.errors import ClientError, HistoryGone, NotFound
from control_units.client.mirror import Mirror
from control_units.client.resource_changes import Change, image_of

MOST_SINGLE = 20
"""So many units or unit servers are read one by one; when more have changed, all are listed."""

# A status says more than its unit does: contact is its session's, and health depends on what
# people want of it. Their changes are no events of the status.
_DECISIVE = (Kind.KIND_UNIT_SERVER_STATUS, Kind.KIND_CONTROL_UNIT, Kind.KIND_MAINTENANCE)


class StatusMirror(Mirror[ControlUnitStatus]):
    """A mirror of statuses. Where contact or health may have changed, they are read again: a status
    may be newer than `position`, never older."""

    def __init__(
        self, noun: Watched[ControlUnitStatus], caller: Caller, *, id_prefix: str, filter: str
    ) -> None:
        super().__init__(noun, caller, id_prefix=id_prefix, filter=filter)
        self._decisive = Changes(caller, _DECISIVE, view=View.VIEW_BASIC)
        self._second_task: asyncio.Task[None] | None = None
        self._unread_since: datetime | None = None
        # Ids that are nobody's since a revision, until the mirror has come there.
        self._gone: dict[str, int] = {}

    async def __aexit__(self, *raised: object) -> None:
        await super().__aexit__(*raised)
        await self._end_verdicts()

    @property
    def stale_since(self) -> datetime | None:
        """When a server last said that nothing is missing, UTC; None: it is current."""
        silent_since, unread_since = super().stale_since, self._unread_since
        return min(filter(None, (silent_since, unread_since)), default=None)

    async def _list(self) -> None:
        """The same, and what is decisive from there on: of what was read meanwhile, the list may
        have put back what was there before."""
        await super()._list()
        await self._end_verdicts()
        self._gone.clear()
        self._decisive.position = self.position
        self._unread_since = None
        self._second_task = asyncio.create_task(self._keep_verdicts(), name="mirror of verdicts")

    async def _end_verdicts(self) -> None:
        if (task := self._second_task) is not None:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()
        await self._decisive.close()

    async def _keep_verdicts(self) -> None:
        """Follows what is decisive. Where that cannot be judged, all is read, as often as it
        takes, and what is decisive is followed from there: nothing is between the two."""
        backoff = Backoff(first=0.2, longest=3.0)
        while True:
            try:
                if self._unread_since is not None:
                    self._decisive.position = await self._read_all()
                    self._unread_since = None
                async for word in self._decisive:
                    await self._judge(word.events)
                    backoff.reset()
            except ClientError as failure:
                if not failure.is_transient and not isinstance(failure, HistoryGone):
                    self._fail(failure)
                    return
            self._unread_since = self._unread_since or datetime.now(UTC)
            await self._decisive.close()
            await asyncio.sleep(backoff.next())

    async def _judge(self, events: Sequence[Event]) -> None:
        """Reads again what events may have changed, and forgets whose unit is no more."""
        units: set[str] = set()
        servers: set[str] = set()
        is_wide = any(each.contact == Contact.CONTACT_UNKNOWN for each in self.values())
        for event in events:
            collection, _, id = event.name.partition("/")
            if collection == "unit_server_statuses":
                servers.add(id)
            elif collection == "maintenances":
                is_wide = True
            elif self._is_left(event):
                units.discard(id)
            elif id.startswith(self._wanted["id_prefix"]):
                units.add(id)
        is_wide = is_wide or len(servers) > MOST_SINGLE or len(units) > MOST_SINGLE
        if is_wide or (self._wanted["filter"] and (servers or units)):
            await self._read_all()
        else:
            await self._read_some(servers, units)

    def _is_left(self, event: Event) -> bool:
        """Whether a unit is no more; one that has another id leaves its old one."""
        is_deleted = event.action == EventAction.EVENT_ACTION_DELETED
        left = event.name if is_deleted else event.former_name
        if left:
            self._forget(left.partition("/")[2], event.revision)
        return is_deleted

    async def _read_some(self, servers: Iterable[str], units: Iterable[str]) -> None:
        for id in servers:
            request = ListControlUnitStatusesRequest(unit_server=f"unit_servers/{id}")
            listed = self._noun.list(request, id_prefix=self._wanted["id_prefix"])
            self._refresh([status async for status in listed])
        for id in units:
            with suppress(NotFound):  # the event that says so comes
                self._refresh([await self._noun.get(id)])

    async def _read_all(self) -> Position:
        """Reads all that pass; what does not, and has not changed since, passes no longer.

        Returns:
            as of where they were read.
        """
        found: dict[str, ControlUnitStatus] = {}
        position = Position()
        async for page in self._noun.pages(self._wanted):
            position = page.position
            found |= {self._noun.id(each): each for each in page.control_unit_statuses}
        self._refresh(found.values())
        for id, held in self.items():
            if id not in found and held.revision <= position.revision:
                self._forget(id, position.revision)
        return position

    def _refresh(self, statuses: Iterable[ControlUnitStatus]) -> None:
        """Takes what was read, where it is not older than what is known."""
        changes: list[Change[ControlUnitStatus]] = []
        for status in statuses:
            id = self._noun.id(status)
            held = self._resources.get(id)
            is_older = held is not None and status.revision < held.revision
            if held != status and not is_older and status.revision > self._gone.get(id, -1):
                self._resources[id] = status
                changes.append(Change(id, held, status))
        self._tell(changes)

    def _forget(self, id: str, revision: int) -> None:
        if revision > self.position.revision:
            self._gone[id] = revision
        held = self._resources.get(id)
        if held is not None and held.revision <= revision:
            del self._resources[id]
            self._tell([Change(id, held, None)])

    def _apply(self, events: Iterable[Event]) -> list[Change[ControlUnitStatus]]:
        changes = super()._apply([event for event in events if not self._is_known(event)])
        come_to = self._changes.position.revision if self._changes.position else 0
        self._gone = {id: gone for id, gone in self._gone.items() if gone > come_to}
        return changes

    def _is_known(self, event: Event) -> bool:
        """Whether it has been read since, or nobody has that id any more."""
        id, image = self._id(event.name), image_of(event)
        held = self._resources.get(id)
        if image is None:
            return False
        if image.revision <= self._gone.get(id, -1):
            return True
        return held is not None and image.revision <= held.revision


class Statuses(Watched[ControlUnitStatus]):
    """What control units last said of themselves."""

    def mirror(self, *, id_prefix: str = "", filter: str = "") -> StatusMirror:
        """All statuses that pass, kept current, with their contact and health."""
        return StatusMirror(self, self._caller, id_prefix=id_prefix, filter=filter)
