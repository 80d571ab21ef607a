"""The composition root: the parts of one replica, how they start, and how they end."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import Coroutine
from typing import Any

import grpc
import structlog
from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from metadata_server.api.access import OpenGate, TokenGate, access_of_methods
from metadata_server.api.admission_figures import add_admission_figures
from metadata_server.api.calls import CHAOS, GRPC, REST, CallFigures, Calls
from metadata_server.api.chaos.application import Chaos
from metadata_server.api.door import Door
from metadata_server.api.errors import abort_with
from metadata_server.api.facility_figures import FacilityFigures
from metadata_server.api.handlers import Handlers
from metadata_server.api.health import Health
from metadata_server.api.http import Face, http_application
from metadata_server.api.lease_figures import add_lease_figures
from metadata_server.api.peers import Peers
from metadata_server.api.registrar import Registrar, registered
from metadata_server.api.rest.application import Rest
from metadata_server.api.rest.context import refuse
from metadata_server.api.rest.hosts import Hosts
from metadata_server.api.rest.origins import Origins
from metadata_server.api.rest.serving import Limits, Runner
from metadata_server.api.services import add_health_and_reflection
from metadata_server.api.store_figures import StoreFigures
from metadata_server.api.traces import opened_traces
from metadata_server.api.watch import add_watch_figures
from metadata_server.api.webhook_sending import WebhookSender
from metadata_server.domain.deliveries.targets import Targets
from metadata_server.domain.refused import Refused
from metadata_server.parts import liveness_of, parts_of, trimming_of
from metadata_server.services.access.keyring import Keyring
from metadata_server.services.admission import Admission
from metadata_server.services.counts import Counts
from metadata_server.services.deliveries.delivering import Delivering
from metadata_server.services.orchestration.advancing import Advancing
from metadata_server.services.replicas import SignOfLife
from metadata_server.services.watching.reaching import Reaching
from metadata_server.services.watching.samples import Sampling
from metadata_server.services.watching.tailer import Tailer
from metadata_server.settings import Settings, prepared_database_url
from metadata_server.store.database import Database, open_database
from metadata_server.store.migration import check_schema, migrate
from metadata_server.store.schema_steps import CannotMigrate, known_schema
from metadata_server.store.store import Store
from metadata_server.store.turns import Turns
from metadata_server.version import version

LARGEST_MESSAGE_BYTES = 6 * 1024 * 1024
LARGEST_REPLY_BYTES = 64 * 1024 * 1024
PINGS = (
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.keepalive_permit_without_calls", 1),
)
"""Clients may ask every second whether it is there: ours do so after 1.5 s without a word."""
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
        self._settings = settings
        self._registry = registry_of_process()
        self._traces = opened_traces()
        figures = StoreFigures(self._registry, self._traces)
        self._store = store_of(settings, figures)
        figures.follow(self._store)
        self._figures = CallFigures(self._registry)
        self._reaching = Reaching(self._store)
        self._tailer = Tailer(self._store)
        self._health = Health(self._check, lambda: self._tailer.lag_s)
        add_watch_figures(self._registry, self._tailer)
        self._keyring = Keyring(self._store, self._tailer)
        self._door = door_of(self._keyring, settings)
        add_admission_figures(self._registry, self._store.turns, self._door.admission)
        self._liveness = liveness_of(self._store, self._tailer, settings)
        add_lease_figures(self._registry, self._liveness.sweeps)
        self._trimming = trimming_of(self._store, settings)
        self._advancing = Advancing(
            self._store, self._tailer, replica=settings.replica, traces=self._traces
        )
        self._sender = WebhookSender(
            Targets.of(settings.webhook_targets),
            timeout_s=settings.webhook_timeout_s,
            registry=self._registry,
            traces=self._traces,
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
        self.grpc_port = self.http_port = 0

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
                held = {tasks.create_task(each) for each in self._holding()}
                await stopping.wait()
                await self._drain(server)
                # What it holds goes on elsewhere at once, not when its leases end; and nobody
                # comes any more to whom it was announced.
                await asyncio.wait(held, timeout=LETTING_GO_S)
                for task in (*background, *held):
                    task.cancel()
            await self._sign.end()
        finally:
            await runner.cleanup()
            await self._sender.close()
            await asyncio.to_thread(self._store.close)
            await asyncio.to_thread(self._traces.close)
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

    def _holding(self) -> list[Coroutine[Any, Any, None]]:
        """What has to let go of something before the server ends."""
        held = [self._advancing.run(), self._delivering.run()]
        if self._settings.announce:
            from metadata_server.api.announcing import Announcing  # few need it

            held.append(
                Announcing(self._settings, self._tailer).run(self.grpc_port, self.http_port)
            )
        return held

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
        calls = Calls(
            self._figures,
            self._reaching,
            self._door,
            face=GRPC,
            refuse=abort_with,
            traces=self._traces,
        )
        server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", LARGEST_MESSAGE_BYTES),
                ("grpc.max_send_message_length", LARGEST_REPLY_BYTES),
                ("grpc.max_allowed_incoming_connections", self._settings.grpc_connections),
                *PINGS,
            ],
        )
        plain = Registrar()
        add_health_and_reflection(plain.as_server, self._health)
        server.add_generic_rpc_handlers([Handlers(self._protocol, calls, plain)])
        host, port = self._settings.host, self._settings.grpc_port
        try:
            # gRPC itself would write a line of its own before ours.
            if port and is_in_use(host, port):
                raise taken("gRPC", port, "MDS_GRPC_PORT")
            self.grpc_port = server.add_insecure_port(f"{bracketed(host)}:{port}")
        except RuntimeError:
            raise taken("gRPC", port, "MDS_GRPC_PORT") from None
        return server

    async def _start_http(self) -> web.AppRunner:
        calls = Calls(
            self._figures, self._reaching, self._door, face=REST, refuse=refuse, traces=self._traces
        )
        rest = Rest(self._protocol, calls)
        origins = Origins(self._settings.allowed_origins())
        faces = [rest, *self._facades()]
        runner = Runner(
            http_application(
                self._health,
                self._facility_figures,
                faces,
                origins,
                self._door.gate,
                # A page that has its own name lead here has nobody's token.
                hosts=None if self._settings.asks else Hosts(self._settings.own_hosts()),
            ),
            Limits(self._settings.http_connections, self._settings.http_idle_s),
            self._door.admission.refuse_connection,
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
        calls = Calls(
            self._figures,
            self._reaching,
            self._door,
            face=CHAOS,
            refuse=refuse,
            traces=self._traces,
        )
        writes = self._settings.chaos_facade == "write"
        return [Chaos(self._protocol, calls, self._door.gate, writes=writes)]


def registry_of_process() -> CollectorRegistry:
    """Where figures are gathered, with those of the process and of Python."""
    # Prometheus asks for none: when each counter was made would be half of all that is told.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    info = Info("mds", "What this program is.", registry=registry)
    info.info({"program": "server", "version": version()})
    return registry


def store_of(settings: Settings, figures: StoreFigures) -> Store:
    """The database, and who may use it next."""
    threads = settings.database_threads
    turns = Turns(threads, most_waiting=settings.waiting, longest_wait_s=settings.longest_wait_s)
    database = open_database(prepared_database_url(settings), pool_size=threads)
    return Store(database, threads=threads, observer=figures, turns=turns)


def door_of(keyring: Keyring, settings: Settings) -> Door:
    """What all calls pass."""
    admission = Admission(settings.client_limits)
    return Door(
        TokenGate(keyring, admission) if settings.asks else OpenGate(),
        admission,
        access_of_methods(),
        Peers(settings.trusted_proxies()),
        settings.call_s,
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
    elif after != known_schema():
        log.info("schema_is_newer", present=after, known=known_schema())


def taken(what: str, port: int, variable: str) -> CannotStart:
    return CannotStart(
        f"Port {port} for {what} is taken, perhaps by another mds serve. Stop that one, or set "
        f"{variable} to a free port."
    )


def is_in_use(host: str, port: int) -> bool:
    """Whether somebody listens there already; what else is wrong with it shows when it is used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


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
