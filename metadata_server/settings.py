"""Every `MDS_*` setting of the server, once, with its unit and default."""

from __future__ import annotations

import math
import os
import re
import socket
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from typing_extensions import override

from metadata_server.domain.client_limits import ClientLimits
from metadata_server.domain.deliveries.targets import Targets
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.networks import Network, networks

PREFIX = "MDS_"
ORIGIN = re.compile(r"https?://[^/\s]+")
HOST_NAME = re.compile(r"[\w.-]+")
FACILITY = re.compile(r"[^,:/\x00-\x1f\x7f]{0,63}")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def default_folder() -> Path:
    """Where the embedded database is, unless somebody names another one."""
    folder: Path = user_data_path("mds", appauthor=False)
    return folder


def default_database_url() -> SecretStr:
    """The embedded database: a file in the user's data folder."""
    return SecretStr(f"sqlite:///{default_folder() / 'mds.db'}")


class Settings(BaseSettings):
    """Read once, at the start, from the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: SecretStr = Field(
        default_factory=default_database_url,
        description="sqlite:////path/file.db or mysql+pymysql://user:password@host/database.",
    )
    host: str = Field(default="127.0.0.1", description="Address that both ports listen on.")
    grpc_port: int = Field(default=7400, ge=0, le=65535, description="gRPC; 0: any free one.")
    http_port: int = Field(
        default=7401, ge=0, le=65535, description="REST, health and metrics; 0: any free one."
    )
    authentication: Literal["off", "token"] = Field(
        default="off",
        description="Whether callers are asked who they are: token: each shows one (`mds token`); "
        "off: they are believed, on loopback only.",
    )
    insecure: bool = Field(
        default=False,
        description="Listen beyond loopback although nobody is asked who they are.",
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose web pages may call, with commas (https://panel.example.org); "
        "*: all; empty: none.",
    )
    http_hosts: str = Field(
        default="",
        description="Names by which the HTTP port may be called while nobody is asked who they "
        "are, with commas (mds.example.org), besides addresses, localhost and this machine's name.",
    )
    replica: str = Field(
        default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}",
        description="Name of this replica in logs and overviews.",
    )
    announce: bool = Field(
        default=False,
        description="Tell the network that this replica is there (zeroconf), so that clients with "
        "MDS_ADDRESS=zeroconf: find it; on loopback only where it listens on loopback only.",
    )
    facility: str = Field(
        default="",
        description="What the facility is called in announcements; clients choose by it: "
        "zeroconf:NAME.",
    )
    lease_s: float = Field(
        default=20.0, gt=0, description="How long a session counts as alive without word, s."
    )
    heartbeat_s: float = Field(
        default=5.0, gt=0, description="How often unit servers give word, s; at most lease / 3."
    )
    stream_age_s: float = Field(
        default=600.0, gt=0, description="Streams end after about this long, to spread load, s."
    )
    drain_s: float = Field(
        default=10.0, gt=0, description="How long running calls may take after SIGTERM, s."
    )
    http_idle_s: float = Field(
        default=75.0,
        gt=0,
        description="An HTTP connection on which no whole request comes for so long is closed, and "
        "a body that is waited for so long, beside 10 kB/s, is refused, s.",
    )
    http_connections: int = Field(
        default=8_000,
        ge=1,
        description="HTTP connections at once; more are answered 429, but for probes (/healthz/…).",
    )
    grpc_connections: int = Field(
        default=8_000,
        ge=1,
        description="gRPC connections at once; more are closed before anything is read, and "
        "clients go to another server.",
    )
    watches: int = Field(
        default=4_000, ge=1, description="Watches at once, on both ports; more are refused."
    )
    proxies: str = Field(
        default="",
        description="Addresses or networks of proxies before it, with commas: what these say of "
        "clients' addresses (X-Forwarded-For) is believed; empty: none.",
    )
    calls_per_client: int = Field(
        default=1_000,
        ge=1,
        description="Calls with one answer that one client may have under way; more are refused. "
        "A client is who has shown a token, else an address.",
    )
    calls_per_s: float = Field(
        default=5_000.0,
        gt=0,
        description="Calls that one client may make, 1/s; twice as many in one moment.",
    )
    streams_per_client: int = Field(
        default=4_000,
        ge=1,
        description="Streams that one client may have open; as many again of unit servers and "
        "agents. Of all clients four times as many.",
    )
    call_s: float = Field(
        default=120.0, gt=0, description="How long a call with one answer may take, s."
    )
    request_mb: int = Field(
        default=512,
        ge=16,
        description="Requests that have come and are not answered, of all clients, MB; half of it "
        "of one.",
    )
    waiting: int = Field(
        default=1_000,
        ge=1,
        description="Calls that may wait for the database; then the longest queue of a client "
        "loses its newest. As many, beside these, may wait until it is known whose token they "
        "show; more are refused.",
    )
    longest_wait_s: float = Field(
        default=4.0,
        gt=0,
        description="Who would wait longer for the database is refused, with a delay, s.",
    )
    database_threads: int = Field(
        default=8, ge=1, le=64, description="Threads, and connections each way, to the database."
    )
    status_days: float = Field(
        default=400.0, gt=0, description="How long what units reported is kept, days."
    )
    history_days: float = Field(
        default=0.0,
        ge=0,
        description="How long the history of what people declared is kept, days; 0: for ever.",
    )
    history_days_by_kind: str = Field(
        default="",
        description="Likewise of single kinds, days: snapshot=30,variable=90.",
    )
    request_days: float = Field(
        default=7.0, gt=0, description="How long a repeated call is recognised, days."
    )
    operation_days: float = Field(
        default=400.0, gt=0, description="How long the steps of ended operations are kept, days."
    )
    delivery_days: float = Field(
        default=30.0, gt=0, description="How long the record of webhooks' deliveries is kept, days."
    )
    webhook_targets: str = Field(
        default="public,private",
        description="Where webhooks may be sent to: public, private, loopback, or networks like "
        "10.1.0.0/16; never to link-local addresses, unless a network names them.",
    )
    webhook_timeout_s: float = Field(
        default=10.0, gt=0, le=60, description="How long one try of a delivery may take, s."
    )
    chaos_facade: Literal["off", "read", "write"] = Field(
        default="read",
        description="What clients of !CHAOS may do at /CU and /MDS of the HTTP port: off, read or "
        "write.",
    )
    adopt: bool = Field(
        default=False, description="Declare unit servers that nobody declared when they come."
    )
    log_level: str = Field(
        default="info",
        pattern="^(debug|info|warning|error)$",
        description="debug, info, warning or error.",
    )
    log_format: Literal["json", "text"] = Field(
        default="json", description="How it logs: json: one object a line; text: for people."
    )

    @override
    def model_post_init(self, context: object, /) -> None:
        if self.heartbeat_us * 3 > self.lease_us:
            raise BadSettings(
                f"MDS_HEARTBEAT_S is {self.heartbeat_s} and MDS_LEASE_S is {self.lease_s}; "
                "right would be at least three heartbeats in a lease."
            )
        if self.host not in LOOPBACK and not (self.asks or self.insecure):
            raise BadSettings(
                f"MDS_HOST is {self.host}, beyond loopback, and nobody is asked who they are; "
                "right would be MDS_AUTHENTICATION=token, or 127.0.0.1, or MDS_INSECURE=1 if your "
                "network protects it."
            )
        if not FACILITY.fullmatch(self.facility):
            raise BadSettings(
                f"MDS_FACILITY is {self.facility!r}; right would be up to 63 characters without "
                "commas, colons and slashes, like DAFNE."
            )
        self.kept_days()
        self.own_hosts()
        self.trusted_proxies()
        try:
            Targets.of(self.webhook_targets)
        except ValueError as error:
            raise BadSettings(f"MDS_WEBHOOK_TARGETS has {error}.") from None

    def allowed_origins(self) -> frozenset[str]:
        """Whose pages may call.

        Raises:
            BadSettings: MDS_CORS_ORIGINS has what is no origin.
        """
        origins = [each.strip() for each in self.cors_origins.split(",") if each.strip()]
        wrong = [each for each in origins if each != "*" and not ORIGIN.fullmatch(each)]
        if wrong:
            raise BadSettings(
                f"MDS_CORS_ORIGINS has {wrong[0]!r}; right would be a scheme and a host, without "
                "a path: https://panel.example.org."
            )
        return frozenset(origins)

    def own_hosts(self) -> frozenset[str]:
        """Names by which the HTTP port may be called; `*`: any.

        Those of origins whose pages may call are among them: these could do no more by it.

        Raises:
            BadSettings: MDS_HTTP_HOSTS has what is no name, MDS_CORS_ORIGINS what is no origin.
        """
        hosts = {each.strip() for each in self.http_hosts.split(",") if each.strip()}
        wrong = [each for each in sorted(hosts) if not HOST_NAME.fullmatch(each)]
        if wrong:
            raise BadSettings(
                f"MDS_HTTP_HOSTS has {wrong[0]!r}; right would be a name without scheme, port and "
                "path: mds.example.org."
            )
        trusted = {re.sub(r"^https?://|:\d+$", "", each) for each in self.allowed_origins()}
        return frozenset(hosts | trusted | {self.host, socket.gethostname()})

    def trusted_proxies(self) -> tuple[Network, ...]:
        """Whose word of clients' addresses is believed.

        Raises:
            BadSettings: MDS_PROXIES has what is no network.
        """
        try:
            return networks(self.proxies)
        except ValueError as wrong:
            raise BadSettings(
                f"MDS_PROXIES has no address or network there: {wrong}. Right would be "
                "10.0.0.5,10.1.0.0/16."
            ) from None

    def kept_days(self) -> dict[Kind, float]:
        """For how long the history of each kind is kept, days; 0: for ever.

        Raises:
            BadSettings: MDS_HISTORY_DAYS_BY_KIND cannot be read.
        """
        kept = dict.fromkeys(DECLARED, self.history_days)
        for part in filter(None, self.history_days_by_kind.split(",")):
            word, _, days = part.partition("=")
            kept[kind_of(word.strip(), part)] = days_of(days.strip(), part)
        reported = (Kind.CONTROL_UNIT_STATUS, Kind.UNIT_SERVER_STATUS, Kind.OPERATION)
        return kept | dict.fromkeys(reported, self.status_days)

    @property
    def asks(self) -> bool:
        """Whether callers are asked who they are."""
        return self.authentication == "token"

    @property
    def client_limits(self) -> ClientLimits:
        """What one client may take."""
        return ClientLimits(
            calls=self.calls_per_client,
            calls_per_s=self.calls_per_s,
            streams=self.streams_per_client,
            request_bytes=self.request_mb * 2**20,
            strangers=self.waiting,
        )

    @property
    def lease_us(self) -> int:
        return round(self.lease_s * 1_000_000)

    @property
    def heartbeat_us(self) -> int:
        return round(self.heartbeat_s * 1_000_000)


class BadSettings(Exception):
    """The environment says something that cannot be; the text says what would be right."""


def kind_of(word: str, part: str) -> Kind:
    if word not in list(DECLARED):
        raise bad_part(part, f"one of {', '.join(sorted(DECLARED))}, then =, then days")
    return Kind(word)


def days_of(text: str, part: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 <= days < math.inf:
        raise bad_part(part, "a kind, then =, then days from 0 (for ever) on")
    return days


def bad_part(part: str, expected: str) -> BadSettings:
    return BadSettings(f"MDS_HISTORY_DAYS_BY_KIND has {part!r}; right would be {expected}.")


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        BadSettings: naming each variable that is wrong, its value and what would be right.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            variable = f"{PREFIX}{fault['loc'][0]}".upper()
            lines.append(f"{variable} is {fault['input']!r}: {fault['msg']}.")
        raise BadSettings("\n".join(lines)) from None


def prepared_database_url(settings: Settings) -> str:
    """The URL of the database, whose folder is there if it is the default one. Others are for
    people to make: a misspelt one would begin an empty database."""
    if "database_url" not in settings.model_fields_set:
        default_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    return settings.database_url.get_secret_value()
