"""Brings a facility up on this machine, watches over it, and ends it."""

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from mds.v1.overview_pb2 import GetOverviewRequest, GetOverviewResponse

from control_units.client import Client, ClientError
from control_units.client.tokens import FILE_VARIABLE
from control_units.figures import PORT_VARIABLE
from control_units.local_facility import own_token
from control_units.local_facility.child import Child, end_all
from control_units.local_facility.counting import Count, hosting_unit_servers
from control_units.local_facility.folder import Folder
from control_units.local_facility.ports import Ports, figures_port
from control_units.local_facility.screen import Screen
from control_units.logs import FORMAT_VARIABLE, JSON

READY_TIMEOUT_S = 60.0
IMPORT_TIMEOUT_S = 300.0
COUNT_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 10.0
POLL_S = 0.05
COUNT_PERIOD_S = 0.25
OUR_LISTS = frozenset({"templates", "unit_servers", "control_units"})


class Failed(Exception):
    """The facility could not be brought up, or a program that it needs has ended."""


class LocalFacility:
    """A server, a page, and a simulated process for each unit server, as child processes.

    Args:
        facility_file: what is there; a file that `mds import` takes.
    """

    def __init__(self, facility_file: Path, folder: Folder, ports: Ports, screen: Screen) -> None:
        self._file = facility_file
        self._folder = folder
        self._ports = ports
        self._screen = screen
        self._servers: list[Child] = []
        self._unit_servers: list[Child] = []
        self._token: Path | None = None

    async def run(self) -> None:
        """Returns never: ends by being cancelled, or with Failed.

        Raises:
            Failed: why, for people.
        """
        try:
            async with asyncio.TaskGroup() as group:
                await self._come_up(group)
                await asyncio.Event().wait()
        except BaseExceptionGroup as group_of_failures:
            failed = group_of_failures.subgroup(Failed)
            raise (failed.exceptions[0] if failed else group_of_failures) from None
        finally:
            await self._end()

    async def _come_up(self, group: asyncio.TaskGroup) -> None:
        await self._start_server(group, "server", "serve")
        await self._answers("the server", self._ports.grpc.number)
        token = await self._own_token() if own_token.is_wanted() else None
        address = self._ports.address
        async with Client(address, principal="mds-run", program="mds", token=token) as client:
            overview = await self._overview(client)
            self._screen.say(f"server ready at {self._ports.address}")
            await self._start_server(group, "page", "web")
            page = group.create_task(self._page_answers())
            if await self._import(overview):
                overview = await self._overview(client)
            for unit_server in hosting_unit_servers(overview):
                await self._start_unit_server(group, unit_server)
            await page
            await self._count(client)

    async def _own_token(self) -> str:
        """Made for all programs that are started from now on, and told where it is."""
        path = self._folder.token
        try:
            text = await own_token.new_token(self._environment())
        except own_token.NoToken as failure:
            raise Failed(f"The server asks for tokens, and none was made. {failure}") from None
        await asyncio.to_thread(own_token.keep, path, text)
        self._token = path
        self._screen.say(f"the server asks for tokens; to log in, or for MDS_TOKEN_FILE: {path}")
        return text

    async def _start_server(self, group: asyncio.TaskGroup, name: str, *arguments: str) -> None:
        child = await self._start(name, *arguments)
        self._servers.append(child)
        group.create_task(self._must_not_end(child))

    async def _start_unit_server(self, group: asyncio.TaskGroup, id: str) -> None:
        child = await self._start(f"unit server {id}", "simulate", id)
        self._unit_servers.append(child)
        group.create_task(self._may_end(child))

    async def _start(self, name: str, *arguments: str) -> Child:
        # A unit server may be called `page`, like the page.
        log = self._folder.log(name.replace("unit server ", "unit_server-", 1))
        return await Child.start(name, arguments, log=log, environment=self._environment())

    def _environment(self) -> dict[str, str]:
        return {
            "MDS_DATABASE_URL": self._folder.database_url,
            "MDS_ANNOUNCE": "1",
            "MDS_FACILITY": facility_name(self._file),
            **os.environ,
            FORMAT_VARIABLE: JSON,  # of their logs only what is no routine is shown
            **self._ports.settings(),
            # The page tells its figures at this port, the unit servers at those after it.
            PORT_VARIABLE: figures_port(max(0, len(self._servers) + len(self._unit_servers) - 1)),
            # What unit servers keep on disk belongs to this facility, too.
            "MDS_STATE_FOLDER": str(self._folder.path / "state"),
            **({FILE_VARIABLE: str(self._token)} if self._token else {}),
        }

    async def _must_not_end(self, child: Child) -> None:
        status = await child.ended()
        raise Failed(f"The {self._obituary(child, status)}")

    async def _may_end(self, child: Child) -> None:
        """One unit server's end is worth a word; the others go on."""
        status = await child.ended()
        self._screen.say(self._obituary(child, status))

    def _obituary(self, child: Child, status: int) -> str:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        words = "\n".join(f"    {line}" for line in child.last_words().splitlines())
        said = (
            f" It said last:\n{words}\n  All of it: {child.log}" if words else f" Log: {child.log}"
        )
        return f"{child.name} (process {child.pid}) {how}.{said}"

    async def _answers(self, who: str, port: int) -> None:
        async def listens() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
            return True

        await until(listens, within=READY_TIMEOUT_S, what=f"{who} does not listen on port {port}")

    async def _overview(self, client: Client) -> GetOverviewResponse:
        # The port opens before the database has answered: the client asks again until then.
        request = GetOverviewRequest(abnormal_limit=1)
        try:
            return await client.overview.GetOverview(request, timeout=READY_TIMEOUT_S)
        except ClientError as error:
            raise Failed(f"The server does not say what is there. {error}") from error

    async def _page_answers(self) -> None:
        async def answers() -> bool:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._ports.web.number)
            except OSError:
                return False
            writer.write(b"GET /healthz/live HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            status = await reader.readline()
            writer.close()
            return b" 200 " in status

        await until(answers, within=READY_TIMEOUT_S, what="the page does not answer")
        self._screen.say(f"page at {self._ports.page}")

    async def _import(self, overview: GetOverviewResponse) -> bool:
        """Imports the facility, unless this very file is what this store imported last."""
        digest = await asyncio.to_thread(file_digest, self._file)
        known = f"{overview.position.store_id} {digest}\n"
        if self._folder.imported() == known:
            self._screen.say(f"{self._file.name} has not changed since it was imported")
            return False
        self._screen.passing(f"importing {self._file.name} …")
        child = await self._start("import", *import_arguments(self._file))
        try:
            async with asyncio.timeout(IMPORT_TIMEOUT_S):
                status = await child.ended()
        finally:
            await end_all([child], within=STOP_TIMEOUT_S)
        if status != 0:
            raise Failed(f"The {self._obituary(child, status)}")
        self._folder.remember_import(known)
        self._screen.say(f"imported {self._file}")
        contents, *details, end = child.words()
        self._screen.note(f"{contents}\n{end}")
        if details:
            self._screen.note(f"What there is to say about it: {child.log}")
        return True

    async def _count(self, client: Client) -> None:
        """Shows how many units run, until all do."""
        try:
            async with asyncio.timeout(COUNT_TIMEOUT_S):
                while not (count := Count.of(await self._overview(client))).is_complete:
                    self._screen.passing(str(count))
                    await asyncio.sleep(COUNT_PERIOD_S)
        except TimeoutError:
            self._screen.say(f"{count}; the page says why the others are not")
        else:
            self._screen.say(str(count))
        self._screen.note(f"Ctrl-C ends it all. Logs: {self._folder.logs}")

    async def _end(self) -> None:
        """Units first, so that they can say good-bye; then the page, then the server."""
        self._screen.say("ending …")
        killed = await end_all(self._unit_servers, within=STOP_TIMEOUT_S)
        for child in reversed(self._servers):
            killed += await end_all([child], within=STOP_TIMEOUT_S)
        for child in killed:
            self._screen.say(f"{child.name} (process {child.pid}) did not end and was killed")
        self._screen.say("ended")


async def until(condition: Callable[[], Awaitable[bool]], *, within: float, what: str) -> None:
    """Raises: Failed, if it is not so within that many seconds."""
    try:
        async with asyncio.timeout(within):
            while not await condition():  # noqa: ASYNC110 - another process tells only by answering
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise Failed(f"For {within:.0f} s now {what}.") from None


def facility_name(file: Path) -> str:
    """What a facility is called in announcements, unless somebody says otherwise."""
    return re.sub(r"[,:/\x00-\x1f\x7f]", "-", file.stem)[:63]


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def import_arguments(path: Path) -> list[str]:
    """How `mds import` takes this file: what people changed since in a file that changed, too,
    is replaced; the history keeps it."""
    options = ["--on-conflict", "replace", "--reason", f"mds run {path.name}"]
    if is_ours(path):
        return ["import", "facility", str(path), *options]
    return ["import", "chaos", str(path), "--skip-invalid", *options]


def is_ours(path: Path) -> bool:
    """Whether a file is an export of `mds export`; what it is not is left to the importers."""
    if path.suffix != ".json":
        return path.suffix in (".yaml", ".yml")
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return False
    return isinstance(document, dict) and not OUR_LISTS.isdisjoint(document)
