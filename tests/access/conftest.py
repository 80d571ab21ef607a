"""Replicas that ask callers for tokens, with a token of each role; on each kind of database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.access_pb2 import Role
from mds.v1.token_pb2 import CreateTokenRequest, Token
from pydantic import SecretStr

from control_units.client import Client
from control_units.client.tokens import NewToken, a_new_token
from metadata_server.admin_token import create
from metadata_server.settings import Settings
from tests.stages.replica import Replica

ROLES = ("viewer", "operator", "expert", "admin")
ASKING = {"MDS_AUTHENTICATION": "token", "MDS_CHAOS_FACADE": "write"}
DEADLINE = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True)
class Guarded:
    """
    Attributes:
        replicas: one on SQLite, two on MariaDB.
        texts: of a token for each role, and of one for a `program`.
    """

    replicas: tuple[Replica, ...]
    texts: dict[str, str]

    @property
    def first(self) -> Replica:
        return self.replicas[0]

    @property
    def last(self) -> Replica:
        return self.replicas[-1]

    def client(self, role: str, *, replica: Replica | None = None) -> Client:
        return Client((replica or self.first).address, token=self.texts[role], timeout=10)

    async def new_token(
        self, principal: str, role: str, *, end: Timestamp | None = None
    ) -> NewToken:
        async with self.client("admin") as admin:
            return await made(admin, principal, role, end=end)

    def logs(self) -> str:
        return "".join(each.program.output() for each in self.replicas)


async def made(
    admin: Client,
    principal: str,
    role: str,
    *,
    program: bool = False,
    end: Timestamp | None = None,
) -> NewToken:
    new = a_new_token()
    wanted = Token(
        name=new.name,
        principal=principal,
        role=Role.Value(f"ROLE_{role.upper()}"),
        sha256=new.sha256,
        program=program,
        expire_time=end,
    )
    await admin.tokens.CreateToken(CreateTokenRequest(token=wanted, reason="for a test"))
    return new


def first_token(database: str) -> str:
    settings = Settings(database_url=SecretStr(database))
    return create(settings, "admin", "a" * 12, "0" * 64, 1)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def guarded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    folder: Path = tmp_path_factory.mktemp("guarded")
    if request.param == "sqlite":
        file = folder / "mds.sqlite"
        request.getfixturevalue("sqlite_layout").copy_to(file)
        yield from serving(f"sqlite:///{file}", folder, count=1)
        return
    server = request.getfixturevalue("mariadb_server")
    layout = request.getfixturevalue("mariadb_layout")
    server.heal()
    name = layout.take()
    yield from serving(server.url(name), folder, count=2)
    layout.give_back(name)


def serving(database: str, folder: Path, *, count: int) -> Iterator[Guarded]:
    replicas = tuple(Replica(database, folder, environment=ASKING) for _ in range(count))
    found = Guarded(replicas, {"admin": first_token(database)})

    async def start() -> None:
        for replica in replicas:
            await replica.start()
        async with found.client("admin") as admin:
            for role in ROLES[:-1]:
                found.texts[role] = (await made(admin, role, role)).text
            found.texts["program"] = (await made(admin, "magnets", "viewer", program=True)).text

    try:
        asyncio.run(start())
        yield found
    finally:
        for replica in replicas:
            replica.program.clear()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=DEADLINE) as session:
        yield session


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}
