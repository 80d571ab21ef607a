"""People and programs at work while servers are replaced; what fails is remembered."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import grpc
import pytest
from mds.v1.kind_pb2 import Kind
from mds.v1.operation_pb2 import ORDER_VERB_START, ORDER_VERB_STOP, Operation
from mds.v1.variable_pb2 import Variable
from mds.v1.watch_pb2 import EventAction

from control_units.client import Client, ClientError
from control_units.client.calls import Caller

PAUSE_S = 0.05
RESTING = {"import": 0.5, "page": 0.5, "operation": 0.2}
"""After each, s: what costs the servers most, and shares the machine with other tests."""
OPERATION_S = 60
IMPORTED = [f"imported/{number}" for number in range(20)]


class Load:
    """Writers and readers by gRPC and by REST, one who imports, one who gives orders, one who looks
    at the page, and a watcher, through a balancer.

    Args:
        page: address of a page that asks there.
        ordered: a control unit that is stopped and started again and again.

    Attributes:
        done: calls that were answered well, by what they are.
        failed: what their callers were told of the others.
        retried: tries that the client repeated by itself.
        written: values in the order in which their writes were acknowledged, by variable.
        seen: values that the watcher was told, by variable.
    """

    def __init__(
        self, address: str, http: str, page: str, ordered: str, *, writers: int = 2
    ) -> None:
        self.client = Client(address, principal="operator@load")
        self.done: Counter[str] = Counter()
        self.failed: list[str] = []
        self.retried = 0
        self._writers = [f"load/{each}" for each in range(writers)]
        self.written: dict[str, list[str]] = {id: [] for id in (*self._writers, "load/rest")}
        self.seen: dict[str, list[str]] = {id: [] for id in self.written}
        self._http = http
        self._page = page
        self._ordered = ordered
        self._stopping = asyncio.Event()

    async def _until_stopped(self, what: str, call: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await call()
            except (ClientError, AssertionError, aiohttp.ClientError, TimeoutError) as failure:
                self.failed.append(f"{what}: {failure!r}")
            else:
                self.done[what] += 1
            await asyncio.sleep(RESTING.get(what, PAUSE_S))

    async def _write(self, id: str) -> None:
        held = await self.client.variables.get(id)
        own = self.written[id]
        assert not own or held.value == own[-1], f"{id} is {held.value}, not {own[-1]}"
        held.value = str(len(own) + 1)
        await self.client.variables.update(held, "value")
        own.append(held.value)

    async def _read(self) -> None:
        found = [each async for each in self.client.control_units.list(id_prefix="RING/")]
        assert found

    async def _read_by_rest(self, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{self._http}/v1/unit_servers") as response:
            assert response.status == 200, f"{response.status}: {await response.text()}"

    async def _write_by_rest(self, session: aiohttp.ClientSession) -> None:
        where, own = f"{self._http}/v1/variables/load/rest", self.written["load/rest"]
        async with session.get(where) as response:
            # The release before, as it is kept, refuses some reads while it stops.
            if response.status == 503 and '"DRAINING"' in await response.text():
                self.retried += 1
                return
            assert response.status == 200, f"{response.status}: {await response.text()}"
            held, etag = await response.json(), response.headers["ETag"]
        assert not own or held["value"] == own[-1], f"load/rest is {held}, not {own[-1]}"
        value, headers = str(len(own) + 1), {"If-Match": etag}
        async with session.patch(where, json={"value": value}, headers=headers) as response:
            assert response.status == 200, f"{response.status}: {await response.text()}"
        own.append(value)

    async def _import(self) -> None:
        value = str(self.done["import"])
        await self.client.apply([Variable(name=f"variables/{id}", value=value) for id in IMPORTED])

    async def _order(self) -> None:
        verb = ORDER_VERB_START if self.done["operation"] % 2 else ORDER_VERB_STOP
        running = await self.client.operations.order(
            verb, [self._ordered], reason="to and fro", settings=Operation(even_so=True)
        )
        await running.done(timeout=OPERATION_S)

    async def _look(self, session: aiohttp.ClientSession) -> None:
        for path in ("/", f"/control_units/{self._ordered}"):
            async with session.get(f"{self._page}{path}") as response:
                text = await response.text()
                assert response.status == 200, f"{path}: {response.status}: {text}"

    async def _watch(self) -> None:
        async with self.client.changes(Kind.KIND_VARIABLE, id_prefix="load/") as changes:
            async for word in changes:
                for event in word.events:
                    if event.action == EventAction.EVENT_ACTION_UPDATED:
                        id = event.variable.name.removeprefix("variables/")
                        self.seen[id].append(event.variable.value)

    @asynccontextmanager
    async def working(self, patch: pytest.MonkeyPatch) -> AsyncIterator[None]:
        """They work meanwhile; after it, everything that was written has been seen."""
        as_it_is = Caller.failed

        def counted(
            caller: Caller, error: grpc.aio.AioRpcError, address: str, request_id: str = ""
        ) -> ClientError:
            self.retried += 1
            return as_it_is(caller, error, address, request_id)

        patch.setattr(Caller, "failed", counted)
        for id in self.written:
            await self.client.variables.create(Variable(name=f"variables/{id}", value="0"))
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch())
            workers = [
                *(self._until_stopped("write", partial(self._write, id)) for id in self._writers),
                self._until_stopped("read", self._read),
                self._until_stopped("read by REST", partial(self._read_by_rest, session)),
                self._until_stopped("write by REST", partial(self._write_by_rest, session)),
                self._until_stopped("import", self._import),
                self._until_stopped("operation", self._order),
                self._until_stopped("page", partial(self._look, session)),
            ]
            started = [tasks.create_task(each) for each in workers]
            try:
                yield
            finally:
                self._stopping.set()
                await asyncio.wait(started)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(10):
                        while self.seen != self.written:
                            await asyncio.sleep(PAUSE_S)
                watching.cancel()
        await self.client.close()
