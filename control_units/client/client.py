"""The client."""

import getpass
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from copy import copy
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import quote

import grpc.aio

from control_units.client.addresses import ADDRESS_VARIABLE, DEFAULT_ADDRESS, parse_addresses
from control_units.client.calls import Caller, FailoverChannel
from control_units.client.channels import Channels
from control_units.client.collections import Collection, Reading, Watched
from control_units.client.errors import ClientError
from control_units.client.services import Noun, Service
from control_units.client.tokens import ShownToken, TokenOfEach

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from mds.v1.agent_report_pb2_grpc import AgentReportsAsyncStub
    from mds.v1.audit_pb2_grpc import AuditsAsyncStub
    from mds.v1.bundle_pb2 import BundleHeader
    from mds.v1.bundle_pb2_grpc import BundlesAsyncStub
    from mds.v1.dataset_pb2_grpc import DatasetsAsyncStub
    from mds.v1.edit_pb2_grpc import EditsAsyncStub
    from mds.v1.filter_pb2_grpc import FiltersAsyncStub
    from mds.v1.history_pb2_grpc import HistoryAsyncStub
    from mds.v1.kind_pb2 import Kind
    from mds.v1.live_values_pb2_grpc import LiveValuesAsyncStub
    from mds.v1.overview_pb2_grpc import OverviewAsyncStub
    from mds.v1.position_pb2 import Position
    from mds.v1.registration_pb2_grpc import RegistrationAsyncStub
    from mds.v1.replica_pb2_grpc import ReplicasAsyncStub
    from mds.v1.sighting_pb2_grpc import SightingsAsyncStub
    from mds.v1.token_pb2_grpc import TokensAsyncStub
    from mds.v1.watch_pb2_grpc import WatchAsyncStub

    from control_units.client.bundles import Outcome
    from control_units.client.changes import Changes
    from control_units.client.nouns import (
        Agents,
        AgentStatuses,
        Campaigns,
        ControlUnits,
        ControlUnitStatuses,
        ExecutionUnits,
        Guards,
        Instantiations,
        MachineModes,
        Maintenances,
        Operations,
        Policies,
        Scripts,
        Snapshots,
        Templates,
        UnitLists,
        UnitServers,
        UnitServerStatuses,
        Variables,
        Webhooks,
    )


def _ordering() -> type:
    from control_units.client.operations import Ordering  # and with it half of the contract

    return Ordering


def _statuses() -> type:
    from control_units.client.status_mirror import Statuses

    return Statuses


class Client:
    """The metadata server, whichever of its replicas answers.

    Each kind of resources is an attribute with the methods of `Reading`, `Watched` or
    `Collection` (`get`, `list`, `update` …), and those of its service in the contract
    (`RenameControlUnit`); what else is a service has the latter. A call takes its request message
    and, by keyword, `timeout` in seconds for all its tries together.

    Args:
        address: `host:port`, `dns:name`, `srv:name` or `zeroconf:[facility]`, or several of them
            with commas between (docs/how-to/find-replicas.md); by default what the environment
            variable MDS_ADDRESS says, else 127.0.0.1:7400.
        principal: who calls, for the history; by default `user@host`. Where a server asks for
            tokens, the name that the token has counts.
        token: what is shown to a server that asks who calls; by default what the environment
            variable MDS_TOKEN says, else what is in the file that MDS_TOKEN_FILE names.
        program: with which program, for the history: a name or `name/version`; a name alone
            gets the version of this release.
        timeout: seconds that a call may take unless it says otherwise.

    Raises:
        BadAddress: an address is none.
        BadToken: a token cannot be one.
    """

    agent_reports: "Service[AgentReportsAsyncStub]" = Service("agent_report")
    agent_statuses: "Noun[AgentStatuses]" = Noun(
        "agent_report", "AgentStatus", Reading, "AgentReports"
    )
    agents: "Noun[Agents]" = Noun("agent", "Agent", Collection)
    audits: "Service[AuditsAsyncStub]" = Service("audit")
    bundles: "Service[BundlesAsyncStub]" = Service("bundle")
    campaigns: "Noun[Campaigns]" = Noun("campaign", "Campaign", Collection)
    control_unit_statuses: "Noun[ControlUnitStatuses]" = Noun(
        "control_unit", "ControlUnitStatus", _statuses, "ControlUnits"
    )
    control_units: "Noun[ControlUnits]" = Noun("control_unit", "ControlUnit", Collection)
    datasets: "Service[DatasetsAsyncStub]" = Service("dataset")
    edits: "Service[EditsAsyncStub]" = Service("edit")
    execution_units: "Noun[ExecutionUnits]" = Noun("execution_unit", "ExecutionUnit", Collection)
    guards: "Noun[Guards]" = Noun("guard", "Guard", Collection)
    history: "Service[HistoryAsyncStub]" = Service("history")
    instantiations: "Noun[Instantiations]" = Noun("instantiation", "Instantiation", Reading)
    live_values: "Service[LiveValuesAsyncStub]" = Service("live_values")
    machine_modes: "Noun[MachineModes]" = Noun("machine_mode", "MachineMode", Collection)
    maintenances: "Noun[Maintenances]" = Noun("maintenance", "Maintenance", Collection)
    operations: "Noun[Operations]" = Noun("operation", "Operation", _ordering)
    overview: "Service[OverviewAsyncStub]" = Service("overview")
    replicas: "Service[ReplicasAsyncStub]" = Service("replica")
    policies: "Noun[Policies]" = Noun("policy", "Policy", Collection)
    registration: "Service[RegistrationAsyncStub]" = Service("registration")
    scripts: "Noun[Scripts]" = Noun("script", "Script", Collection)
    sightings: "Service[SightingsAsyncStub]" = Service("sighting")
    filters: "Service[FiltersAsyncStub]" = Service("filter")
    snapshots: "Noun[Snapshots]" = Noun("snapshot", "Snapshot", Collection)
    templates: "Noun[Templates]" = Noun("template", "Template", Collection)
    tokens: "Service[TokensAsyncStub]" = Service("token")
    unit_lists: "Noun[UnitLists]" = Noun("unit_list", "UnitList", Collection)
    unit_server_statuses: "Noun[UnitServerStatuses]" = Noun(
        "unit_server", "UnitServerStatus", Watched, "UnitServers"
    )
    unit_servers: "Noun[UnitServers]" = Noun("unit_server", "UnitServer", Collection)
    variables: "Noun[Variables]" = Noun("variable", "Variable", Collection)
    watch: "Service[WatchAsyncStub]" = Service("watch")
    webhooks: "Noun[Webhooks]" = Noun("webhook", "Webhook", Collection)

    def __init__(
        self,
        address: str | Sequence[str] | None = None,
        *,
        principal: str | None = None,
        token: str | None = None,
        program: str = "control_units",
        timeout: float = 20.0,
    ) -> None:
        written = address or os.environ.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS
        self._channels = Channels(parse_addresses(written))
        self._caller = Caller(
            self._channels,
            ascii_text(principal or default_principal()),
            program=ascii_text(program if "/" in program else f"{program}/{release()}"),
            token=ShownToken(token),
            timeout=timeout,
        )

    def with_token(self, token: str) -> Self:
        """A client over the same connections for somebody else, who is known by a token: for
        programs that serve many. Only the first one is closed.

        Raises:
            BadToken: the token cannot be one.
        """
        return self._with(ShownToken(token))

    def with_token_of_each(self, ask: Callable[[], str]) -> Self:
        """A client over the same connections for many people at once: each call shows the token
        that `ask` tells then, or none where it tells nothing. Only the first one is closed."""
        return self._with(TokenOfEach(ask))

    def _with(self, token: ShownToken | TokenOfEach) -> Self:
        other = copy(self)
        for name in vars(self).keys() - {"_channels", "_caller"}:
            delattr(other, name)  # services that were made for the first one's calls
        other._caller = Caller(
            self._channels,
            self._caller.principal,
            program=self._caller.program,
            token=token,
            timeout=self._caller.timeout,
        )
        other._caller.observer = self._caller.observer
        return other

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all calls under way and lets go of the connections."""
        await self._channels.close()

    def changes(
        self,
        *kinds: "Kind.ValueType",
        id_prefix: str = "",
        filter: str = "",
        after: "Position | None" = None,
    ) -> "Changes":
        """What happens to resources of some kinds (none: all), after a position or from now on:
        `async for word in client.changes(Kind.KIND_CONTROL_UNIT)`."""
        from control_units.client.changes import Changes

        return Changes(self._caller, kinds, id_prefix=id_prefix, filter=filter, after=after)

    async def apply(
        self,
        resources: "Iterable[Message]",
        header: "BundleHeader | None" = None,
        *,
        reason: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> "Outcome":
        """Creates and replaces resources of any kinds in one change, all of them or nothing.

        Args:
            resources: in any order, each with its name.
            header: how, where they are not to replace what is there (`on_conflict`, `prune`).

        Raises:
            NotApplied: something is wrong with some of them; its outcome has all problems.
        """
        from mds.v1.bundle_pb2 import BundleHeader, OnConflict

        from control_units.client.bundles import apply_resources

        how = BundleHeader(on_conflict=OnConflict.ON_CONFLICT_REPLACE)
        if header is not None:
            how.CopyFrom(header)
        how.reason = reason or how.reason
        how.validate_only = validate_only or how.validate_only
        return await apply_resources(self, resources, how, timeout=timeout)

    def export(
        self,
        *kinds: "Kind.ValueType",
        id_prefix: str = "",
        as_of: str = "",
        timeout: float | None = None,
    ) -> "AsyncIterator[Any]":
        """All resources that people declare, of some kinds (none: all), as of one position, in an
        order in which `apply` takes them. `timeout` is for all of them; None: as long as it
        takes."""
        from mds.v1.bundle_pb2 import ExportRequest

        from control_units.client.bundles import exported

        request = ExportRequest(kinds=kinds, id_prefix=id_prefix, as_of=as_of)
        return exported(self, request, timeout=timeout)

    @property
    def written(self) -> str:
        """Where it looks for servers, as people write it."""
        return self._channels.written

    @property
    def addresses(self) -> tuple[str, ...]:
        """The servers that may be asked, as far as they have been found."""
        return self._channels.addresses

    @property
    def address(self) -> str:
        """The server that the next call asks first; before any was found, where it looks."""
        return self._channels.address or self._channels.written

    @property
    def http_address(self) -> str:
        """`host:port` of REST at the server that the next call asks first."""
        return self._channels.http_address

    async def find_servers(self, timeout: float | None = None) -> tuple[str, ...]:
        """The servers that may be asked, after looking for them where none is known.

        Raises:
            Unreachable: there is none.
        """
        await self._caller.server(self._caller.timeout if timeout is None else timeout)
        return self._channels.addresses

    @property
    def position(self) -> str:
        """The position that the last answer named, `store_id/epoch/revision`; empty: none yet."""
        return self._caller.position

    @property
    def caller(self) -> Caller:
        """What all its calls share."""
        return self._caller

    @property
    def channel(self) -> grpc.aio.Channel:
        """Stands where generated stubs expect a channel, for services that are no attribute."""
        return cast("grpc.aio.Channel", FailoverChannel(self._caller))

    @property
    def failure(self) -> ClientError | None:
        """Why the last try of a call got no answer, for those who wait for the next; None: it
        got one, or there was no try."""
        return self._caller.failure

    def leave(self, address: str) -> None:
        """Has the next call ask another server first, when this one is in use."""
        self._channels.leave(address)


def ascii_text(text: str) -> str:
    """A text as metadata on the wire may be: the rest percent-encoded."""
    return quote(text, safe=" @!#$&'()*+,/:;=?[]~")


@cache
def release() -> str:
    """The version of this release; `unknown` where it runs without being installed."""
    try:
        return version("control-system-metadata-server")
    except PackageNotFoundError:
        return "unknown"


def default_principal() -> str:
    """Who runs this program, and where: `user@host`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
