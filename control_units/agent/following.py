"""Follows what is declared for an agent, through outages of all servers."""

import asyncio
from collections.abc import AsyncGenerator

import structlog
from google.protobuf import json_format
from mds.v1.agent_pb2 import GetAgentRequest
from mds.v1.kind_pb2 import Kind
from mds.v1.position_pb2 import Position
from mds.v1.unit_server_pb2 import ListUnitServersRequest, UnitServer
from mds.v1.watch_pb2 import WatchRequest

from control_units.agent.declared import Declared
from control_units.agent.folder import AgentFolder
from control_units.agent.telling import told
from control_units.client import Backoff, Client, ClientError, Refused, Unreachable

PAGE = 1000
CALL_TIMEOUT_S = 10.0
# A bookmark comes every few seconds: a stream that is silent for so long is broken.
SILENCE_S = 30.0
KINDS = (Kind.KIND_AGENT, Kind.KIND_UNIT_SERVER)

log = structlog.get_logger(__name__)


class Following:
    """What is declared, again and again: first as a whole, then after each change.

    While no server answers, what was known last holds; at a start, what the disk has kept.

    Args:
        agent: id.
    """

    def __init__(self, client: Client, agent: str, folder: AgentFolder) -> None:
        self._client = client
        self._name = f"agents/{agent}"
        self._folder = folder
        self._known: Declared | None = None
        self._backoff = Backoff(first=0.5, longest=15.0)

    async def declared(self) -> AsyncGenerator[Declared, None]:
        """Never ends by itself.

        Raises:
            Refused: at the start, when nothing is known yet and a server says why it does not
                tell: AGENT_NOT_FOUND.
        """
        while True:
            try:
                listed, position = await self._list()
                yield self._keep(listed)
                self._backoff.reset()
                async for changed in self._changes(listed, position):
                    yield self._keep(changed)
            except ClientError as error:
                if self._known is None and (copy := self._from_disk()) is not None:
                    self._known = copy
                    log.warning("agent_starts_from_copy", agent=self._name, **told(error))
                    yield copy
                if self._known is None and not error.is_transient:
                    raise
                # Also where this agent is no longer declared: a database that was emptied by
                # mistake shall not end a machine's unit servers.
                await self._pause(error)

    async def _pause(self, error: ClientError) -> None:
        asked = error.retry_after if isinstance(error, Refused) else None
        pause_s = self._backoff.next(at_least=asked or 0.0)
        log.warning("agent_is_not_told", agent=self._name, **told(error), pause_s=pause_s)
        await asyncio.sleep(pause_s)

    async def _list(self) -> tuple[Declared, Position]:
        """All of it, as of one position."""
        agent = await self._client.agents.GetAgent(
            GetAgentRequest(name=self._name), timeout=CALL_TIMEOUT_S
        )
        request = ListUnitServersRequest(agent=self._name, page_size=PAGE)
        unit_servers: dict[str, UnitServer] = {}
        while True:
            page = await self._client.unit_servers.ListUnitServers(request, timeout=CALL_TIMEOUT_S)
            unit_servers.update((each.name, each) for each in page.unit_servers)
            if not page.next_page_token:
                return Declared(agent, unit_servers), page.position
            request.page_token = page.next_page_token

    async def _changes(self, known: Declared, position: Position) -> AsyncGenerator[Declared, None]:
        """What is declared after each change from a position on.

        Raises:
            ClientError: the stream has ended.
        """
        address = self._client.address
        stream = self._client.watch.Watch(WatchRequest(position=position, kinds=KINDS))
        try:
            while True:
                try:
                    async with asyncio.timeout(SILENCE_S):
                        response = await anext(aiter(stream))
                except StopAsyncIteration:
                    raise Unreachable(address, "it ended the watch") from None
                except TimeoutError:
                    self._client.leave(address)
                    raise Unreachable(address, f"no word for {SILENCE_S:.0f} s") from None
                before = known
                for event in response.events:
                    known = known.after(event)
                if known != before:
                    yield known
        finally:
            stream.cancel()

    def _keep(self, known: Declared) -> Declared:
        self._known = known
        try:
            self._folder.save_copy(known.to_bytes())
        except OSError as error:  # it goes on with what it holds in memory
            log.error("agent_copy_not_kept", agent=self._name, error=str(error))
        return known

    def _from_disk(self) -> Declared | None:
        content = self._folder.load_copy()
        try:
            return Declared.of_bytes(content) if content is not None else None
        except (json_format.ParseError, UnicodeDecodeError) as error:
            log.warning("agent_copy_damaged", agent=self._name, error=str(error))
            return None
