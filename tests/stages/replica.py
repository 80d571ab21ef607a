"""A replica of the metadata server, as it runs in service: `mds serve` in its own process."""

from collections.abc import Mapping
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

from tests.stages.ports import free_port, is_open
from tests.stages.program import Program
from tests.stages.waiting import until

START_TIMEOUT_S = 30.0


class Replica:
    """One replica on a database that others may share."""

    def __init__(
        self, database: str, folder: Path, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.database = database
        self.port = free_port()
        self.http_port = free_port()
        settings = {
            "MDS_DATABASE_URL": database,
            "MDS_GRPC_PORT": str(self.port),
            "MDS_HTTP_PORT": str(self.http_port),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_STATE_HOME": str(folder / "state"),
            **(environment or {}),
        }
        log = folder / f"replica-{self.port}.log"
        self.program = Program.mds("serve", log=log, environment=settings)
        self.migration = Program.mds("migrate", log=log, environment=settings)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    async def migrate(self) -> None:
        """Brings the schema up, as a person does before the first start of a served database."""
        self.migration.start()
        status = await self.migration.ended(within=60)
        assert status == 0, f"mds migrate ended with {status}:\n{self.migration.last_lines()}"

    async def start(self) -> None:
        """Starts it, and returns when it is ready."""
        self.program.start()
        await self.ready()

    async def ready(self, *, within: float = START_TIMEOUT_S) -> None:
        """Returns when it says that it can serve."""

        async def it_serves() -> bool:
            self.program.check_running()
            return await is_open(self.port) and await self.health("ready") == "SERVING"

        await until(it_serves, within=within, what=f"readiness of {self.address}")

    async def health(self, service: str = "") -> str:
        """What grpc.health.v1 says: SERVING, NOT_SERVING, SERVICE_UNKNOWN, or UNREACHABLE."""
        request = health_pb2.HealthCheckRequest(service=service)
        async with grpc.aio.insecure_channel(self.address) as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                reply = await check(request, timeout=2)
            except grpc.aio.AioRpcError as error:
                is_unknown = error.code() is grpc.StatusCode.NOT_FOUND
                return "SERVICE_UNKNOWN" if is_unknown else "UNREACHABLE"
        return health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status)

    def kill(self) -> None:
        """No good-bye (SIGKILL)."""
        self.program.kill()

    async def terminate(self, *, within: float = 15.0) -> int:
        """Lets it drain and end (SIGTERM); its exit status."""
        return await self.program.terminate(within=within)

    async def restart(self) -> None:
        """Kills it and starts it again on the same ports."""
        self.kill()
        await self.start()
