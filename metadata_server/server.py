"""The composition root: the parts of one replica, how they start, and how they end."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Coroutine
from typing import Any

import grpc
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from metadata_server.api.access import OpenGate, TokenGate
from metadata_server.api.agent_report import AgentParts
from metadata_server.api.calls import CHAOS, GRPC, REST, CallFigures, Calls
from metadata_server.api.chaos.application import Chaos
from metadata_server.api.errors import abort_with
from metadata_server.api.facility_figures import FacilityFigures
from metadata_server.api.gate import Gate
from metadata_server.api.handlers import Handlers
from metadata_server.api.health import Health
from metadata_server.api.history import HistoryParts
from metadata_server.api.http import Face, http_application
from metadata_server.api.operation import OperationParts
from metadata_server.api.registrar import Registrar, registered
from metadata_server.api.rest.application import Rest
from metadata_server.api.rest.context import refuse
from metadata_server.api.rest.origins import Origins
from metadata_server.api.rest.serving import Limits, Runner
from metadata_server.api.services import Parts, add_health_and_reflection
from metadata_server.api.store_figures import StoreFigures
from metadata_server.api.watch import add_watch_figures
from metadata_server.api.webhook_sending import WebhookSender
from metadata_server.domain.deliveries.targets import Targets
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.refused import Refused
from metadata_server.services.access.keyring import Keyring
from metadata_server.services.access.tokens import Tokens
from metadata_server.services.agents.agent_reports import AgentReports
from metadata_server.services.agents.launch_orders import LaunchOrders
from metadata_server.services.agents.logs import Logs
from metadata_server.services.auditing.audit import Audits
from metadata_server.services.counts import Counts
from metadata_server.services.deliveries.delivering import Delivering
from metadata_server.services.deliveries.webhooks import Webhooks
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.edits import Edits
from metadata_server.services.intent.rebase import Rebases
from metadata_server.services.intent.renaming import Renaming
from metadata_server.services.intent.resources import Resources
from metadata_server.services.intent.versioning import Versioning
from metadata_server.services.life.configurations import Configurations
from metadata_server.services.life.liveness import Liveness
from metadata_server.services.life.sightings import Sightings
from metadata_server.services.life.statuses import Statuses
from metadata_server.services.matches import Counting
from metadata_server.services.orchestration.advancing import Advancing
from metadata_server.services.orchestration.campaigns import Campaigns
from metadata_server.services.orchestration.operations import Operations
from metadata_server.services.orchestration.steering import Steering
from metadata_server.services.past.comparisons import Comparisons
from metadata_server.services.past.explanations import Explanations
from metadata_server.services.past.history import History
from metadata_server.services.past.instantiations import Instantiations
from metadata_server.services.past.revert import Revert
from metadata_server.services.past.trimming import Trimming
from metadata_server.services.past.undo import Undo
from metadata_server.services.replicas import Replicas, SignOfLife
from metadata_server.services.values.live_values import LiveValues
from metadata_server.services.values.restoring import SnapshotRestoring
from metadata_server.services.values.snapshots import Snapshots
from metadata_server.services.values.taking import SnapshotTaking
from metadata_server.services.watching.overview import Overviews
from metadata_server.services.watching.reaching import Reaching
from metadata_server.services.watching.remembered import Remembered
from metadata_server.services.watching.samples import Samples, Sampling
from metadata_server.services.watching.tailer import Tailer
from metadata_server.services.watching.watch import Watching
from metadata_server.settings import Settings, prepared_database_url
from metadata_server.store.database import Database, open_database
from metadata_server.store.migration import CannotMigrate, check_schema, migrate
from metadata_server.store.store import Store
from metadata_server.version import version

LARGEST_MESSAGE_BYTES = 6 * 1024 * 1024
LARGEST_REPLY_BYTES = 64 * 1024 * 1024
GARBAGE_THRESHOLD = 50_000
NOBODY_IS_ASKED = "Callers are who they say they are, and may do anything. MDS_AUTHENTICATION=token"
LETTING_GO_S = 5.0
"""How long a replica that ends may take to leave its operations and webhooks to others."""
log = structlog.get_logger()


class CannotStart(Exception):
    """The server cannot start; the text says why and what to do."""


class Replica:
    """One metadata server: stateless, and equal to all others on the same database."""

    def __init__(self, settings: Settings) -> None:
        database = open_database(
            prepared_database_url(settings), pool_size=settings.database_threads
        )
        self._settings = settings
        self._registry = registry_of_process()
        figures = StoreFigures(self._registry)
        self._store = Store(database, threads=settings.database_threads, observer=figures)
        figures.follow(self._store)
        self._figures = CallFigures(self._registry)
        self._reaching = Reaching(self._store)
        self._health = Health(self._check)
        self._tailer = Tailer(self._store)
        add_watch_figures(self._registry, self._tailer)
        self._keyring = Keyring(self._store, self._tailer)
        self._gate: Gate = TokenGate(self._keyring) if settings.asks else OpenGate()
        self._liveness = liveness_of(self._store, self._tailer, settings)
        self._trimming = trimming_of(self._store, settings)
        self._advancing = Advancing(self._store, self._tailer, replica=settings.replica)
        self._sender = WebhookSender(
            Targets.of(settings.webhook_targets),
            timeout_s=settings.webhook_timeout_s,
            registry=self._registry,
        )
        self._delivering = Delivering(
            self._store, self._tailer, self._sender, replica=settings.replica
        )
        parts = parts_of(
            self._store, self._tailer, self._liveness, self._advancing, self._sender, settings
        )
        self._protocol = registered(parts)
        self._facility_figures = FacilityFigures(
            Counts(self._store, parts.overviews, parts.replicas), self._registry
        )
        self._sampling = Sampling(self._store, parts.overviews)
        self._sign = SignOfLife(self._store, self._tailer, id=settings.replica, version=version())
        self.grpc_port = 0
        self.http_port = 0

    async def _check(self) -> None:
        await self._store.read(check_schema)

    async def run(self, stopping: asyncio.Event) -> None:
        """Serves until `stopping` is set, then drains.

        Raises:
            CannotStart: a port is taken, or the schema is not one this release knows.
        """
        # The ports first: who finds them taken has touched no database.
        server = self._grpc_server()
        runner = await self._start_http()
        try:
            await self._prepare_store()
            await self._health.start()
            await server.start()
            log.info("serving", grpc_port=self.grpc_port, http_port=self.http_port)
            if not self._settings.asks:
                log.warning("nobody_is_asked_who_they_are", advice=NOBODY_IS_ASKED)
            async with asyncio.TaskGroup() as tasks:
                background = [tasks.create_task(loop) for loop in self._loops()]
                held = {
                    tasks.create_task(each.run()) for each in (self._advancing, self._delivering)
                }
                await stopping.wait()
                await self._drain(server)
                # What it holds goes on elsewhere at once, not when its leases end.
                await asyncio.wait(held, timeout=LETTING_GO_S)
                for task in (*background, *held):
                    task.cancel()
            await self._sign.end()
        finally:
            await runner.cleanup()
            await self._sender.close()
            await asyncio.to_thread(self._store.close)
        log.info("stopped")

    def _loops(self) -> list[Coroutine[Any, Any, None]]:
        """What runs beside the calls, as long as the server does."""
        return [
            self._health.run(),
            self._tailer.run(),
            self._trimming.run(),
            *([self._keyring.run()] if self._settings.asks else []),
            self._sampling.run(),
            self._sign.run(grpc_port=self.grpc_port, http_port=self.http_port),
            *self._liveness.loops(),
        ]

    async def _drain(self, server: grpc.aio.Server) -> None:
        """NOT_SERVING first; then streams are ended so that clients move; calls finish."""
        log.info("draining", seconds=self._settings.drain_s)
        await self._health.drain()
        self._liveness.drain()
        self._tailer.drain()
        # Else they would see only at their next turns that they are to let go.
        self._advancing.look()
        self._delivering.look()
        await server.stop(self._settings.drain_s)

    async def _prepare_store(self) -> None:
        """Brings the embedded database up by itself; refuses a served one it does not know."""
        try:
            if self._store.database.is_sqlite:
                await asyncio.to_thread(migrate_embedded, self._store.database)
            await self._check()
        except Refused as refused:
            if refused.reason == "SCHEMA_UNKNOWN":
                raise CannotStart(refused.message) from None
            log.warning("database_away_at_start", problem=refused.message)

    def _grpc_server(self) -> grpc.aio.Server:
        calls = Calls(self._figures, self._reaching, self._gate, face=GRPC, refuse=abort_with)
        server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", LARGEST_MESSAGE_BYTES),
                ("grpc.max_send_message_length", LARGEST_REPLY_BYTES),
                ("grpc.keepalive_time_ms", 20_000),
                ("grpc.keepalive_timeout_ms", 10_000),
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )
        plain = Registrar()
        add_health_and_reflection(plain.as_server, self._health)
        server.add_generic_rpc_handlers([Handlers(self._protocol, calls, plain)])
        host = bracketed(self._settings.host)
        try:
            self.grpc_port = server.add_insecure_port(f"{host}:{self._settings.grpc_port}")
        except RuntimeError:
            raise taken("gRPC", self._settings.grpc_port, "MDS_GRPC_PORT") from None
        return server

    async def _start_http(self) -> web.AppRunner:
        calls = Calls(self._figures, self._reaching, self._gate, face=REST, refuse=refuse)
        rest = Rest(self._protocol, calls)
        origins = Origins(self._settings.allowed_origins())
        faces = [rest, *self._facades()]
        runner = Runner(
            http_application(self._health, self._facility_figures, faces, origins, self._gate),
            Limits(self._settings.http_connections, self._settings.http_idle_s),
            shutdown_timeout=self._settings.drain_s,
        )
        await runner.setup()
        site = web.TCPSite(runner, self._settings.host, self._settings.http_port)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise taken("HTTP", self._settings.http_port, "MDS_HTTP_PORT") from None
        self.http_port = runner.addresses[0][1]
        return runner

    def _facades(self) -> list[Face]:
        """What is served beside the protocol, as the settings want it."""
        if self._settings.chaos_facade == "off":
            return []
        calls = Calls(self._figures, self._reaching, self._gate, face=CHAOS, refuse=refuse)
        return [Chaos(self._protocol, calls, writes=self._settings.chaos_facade == "write")]


def registry_of_process() -> CollectorRegistry:
    """Where figures are gathered, with those of the process and of Python."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def parts_of(
    store: Store,
    tailer: Tailer,
    liveness: Liveness,
    advancing: Advancing,
    sender: WebhookSender,
    settings: Settings,
) -> Parts:
    """Everything that can be asked of a replica."""
    return Parts(
        replica=settings.replica,
        resources=Resources(store),
        remembered=Remembered(tailer),
        versioning=Versioning(store),
        renaming=Renaming(store),
        snapshots=Snapshots(store),
        campaigns=Campaigns(store),
        bundles=Bundles(store),
        edits=Edits(store),
        rebases=Rebases(store, Configurations()),
        history=HistoryParts(History(store), Comparisons(store), Revert(store), Undo(store)),
        statuses=Statuses(store),
        explanations=Explanations(store),
        liveness=liveness,
        live_values=LiveValues(store),
        taking=SnapshotTaking(store),
        restoring=SnapshotRestoring(store),
        instantiations=Instantiations(store),
        sightings=Sightings(store),
        watching=Watching(tailer, age_s=settings.stream_age_s, most=settings.watches),
        webhooks=Webhooks(store, sender, replica=settings.replica),
        overviews=Overviews(store, tailer, age_s=settings.stream_age_s),
        samples=Samples(store),
        replicas=Replicas(store),
        audits=Audits(store),
        operations=operation_parts_of(store, advancing),
        agents=agent_parts_of(store, liveness.timing),
        tokens=Tokens(store),
        counting=Counting(store),
    )


def operation_parts_of(store: Store, advancing: Advancing) -> OperationParts:
    """What begins operations, and what steers them."""
    look = advancing.look
    return OperationParts(Operations(store, on_due=look), Steering(store, on_due=look))


def agent_parts_of(store: Store, timing: Timing) -> AgentParts:
    """What agents ask, and what can be asked of them."""
    return AgentParts(AgentReports(store, timing), Logs(store, timing), LaunchOrders(store))


def liveness_of(store: Store, tailer: Tailer, settings: Settings) -> Liveness:
    """What knows who is alive."""
    return Liveness(
        store,
        tailer,
        Timing(settings.lease_us, settings.heartbeat_us),
        stream_age_s=settings.stream_age_s,
        adopt=settings.adopt,
    )


def trimming_of(store: Store, settings: Settings) -> Trimming:
    """What deletes everything that is older than it is kept."""
    return Trimming(
        store,
        kept_days=settings.kept_days(),
        request_days=settings.request_days,
        operation_days=settings.operation_days,
        delivery_days=settings.delivery_days,
    )


def migrate_embedded(database: Database) -> None:
    """Makes the embedded database, or brings it up; it belongs to this one process.

    Raises:
        CannotStart: the file cannot be written.
    """
    try:
        before, after = migrate(database)
    except CannotMigrate as problem:
        raise CannotStart(f"{problem} (file {database.url.database})") from None
    if before != after:
        log.info("schema_migrated", before=before, after=after)


def taken(what: str, port: int, variable: str) -> CannotStart:
    return CannotStart(
        f"Port {port} for {what} is taken, perhaps by another mds serve. Stop that one, or set "
        f"{variable} to a free port."
    )


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def serve(settings: Settings) -> None:
    """Runs one replica until SIGTERM or SIGINT.

    Raises:
        CannotStart: with what to do.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    replica = Replica(settings)
    # What is there by now stays; and a boot storm makes so many objects that looking for cycles
    # among them at Python's own pace took a quarter of its time.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 50)
    await replica.run(stopping)
