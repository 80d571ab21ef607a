"""The client."""

import getpass
import os
import socket
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import quote

import grpc.aio

from control_units.client.addresses import ADDRESS_VARIABLE, DEFAULT_ADDRESS, parse_addresses
from control_units.client.calls import Caller, FailoverChannel
from control_units.client.channels import Channels
from control_units.client.errors import ClientError

if TYPE_CHECKING:
    from mds.v1.agent_pb2_grpc import AgentsAsyncStub
    from mds.v1.agent_report_pb2_grpc import AgentReportsAsyncStub
    from mds.v1.audit_pb2_grpc import AuditsAsyncStub
    from mds.v1.bundle_pb2_grpc import BundlesAsyncStub
    from mds.v1.campaign_pb2_grpc import CampaignsAsyncStub
    from mds.v1.control_unit_pb2_grpc import ControlUnitsAsyncStub
    from mds.v1.dataset_pb2_grpc import DatasetsAsyncStub
    from mds.v1.edit_pb2_grpc import EditsAsyncStub
    from mds.v1.execution_unit_pb2_grpc import ExecutionUnitsAsyncStub
    from mds.v1.guard_pb2_grpc import GuardsAsyncStub
    from mds.v1.history_pb2_grpc import HistoryAsyncStub
    from mds.v1.instantiation_pb2_grpc import InstantiationsAsyncStub
    from mds.v1.live_values_pb2_grpc import LiveValuesAsyncStub
    from mds.v1.machine_mode_pb2_grpc import MachineModesAsyncStub
    from mds.v1.maintenance_pb2_grpc import MaintenancesAsyncStub
    from mds.v1.operation_pb2_grpc import OperationsAsyncStub
    from mds.v1.overview_pb2_grpc import OverviewAsyncStub
    from mds.v1.policy_pb2_grpc import PoliciesAsyncStub
    from mds.v1.registration_pb2_grpc import RegistrationAsyncStub
    from mds.v1.script_pb2_grpc import ScriptsAsyncStub
    from mds.v1.sighting_pb2_grpc import SightingsAsyncStub
    from mds.v1.snapshot_pb2_grpc import SnapshotsAsyncStub
    from mds.v1.template_pb2_grpc import TemplatesAsyncStub
    from mds.v1.unit_list_pb2_grpc import UnitListsAsyncStub
    from mds.v1.unit_server_pb2_grpc import UnitServersAsyncStub
    from mds.v1.variable_pb2_grpc import VariablesAsyncStub
    from mds.v1.watch_pb2_grpc import WatchAsyncStub


class Client:
    """The metadata server, whichever of its replicas answers.

    Each service of the contract is an attribute with the contract's methods. A call takes its
    request message and, by keyword, `timeout` in seconds for all its tries together.

    Args:
        address: `host:port[,host:port…]`, or several of them; by default what the environment
            variable MDS_ADDRESS says, else 127.0.0.1:7400.
        principal: who calls, for the history; by default `user@host`.
        program: with which program, for the history: a name or `name/version`; a name alone
            gets the version of this release.
        timeout: seconds that a call may take unless it says otherwise.

    Raises:
        BadAddress: an address is none.
    """

    def __init__(
        self,
        address: str | Sequence[str] | None = None,
        *,
        principal: str | None = None,
        program: str = "control_units",
        timeout: float = 20.0,
    ) -> None:
        written = address or os.environ.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS
        self._channels = Channels(parse_addresses(written))
        self._caller = Caller(
            self._channels,
            ascii_text(principal or default_principal()),
            program=ascii_text(program if "/" in program else f"{program}/{release()}"),
            timeout=timeout,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all calls under way and lets go of the connections."""
        await self._channels.close()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The servers that may be asked."""
        return self._channels.addresses

    @property
    def address(self) -> str:
        """The server that the next call asks first."""
        return self._channels.address

    @property
    def position(self) -> str:
        """The position that the last answer named, `store_id/epoch/revision`; empty: none yet."""
        return self._caller.position

    @property
    def failure(self) -> ClientError | None:
        """Why the last try of a call got no answer, for those who wait for the next; None: it
        got one, or there was no try."""
        return self._caller.failure

    def leave(self, address: str) -> None:
        """Has the next call ask another server first, when this one is in use."""
        self._channels.leave(address)

    @property
    def _channel(self) -> grpc.aio.Channel:
        return cast("grpc.aio.Channel", FailoverChannel(self._caller))

    @cached_property
    def agent_reports(self) -> "AgentReportsAsyncStub":
        from mds.v1.agent_report_pb2_grpc import AgentReportsStub

        return AgentReportsStub(self._channel)

    @cached_property
    def agents(self) -> "AgentsAsyncStub":
        from mds.v1.agent_pb2_grpc import AgentsStub

        return AgentsStub(self._channel)

    @cached_property
    def audits(self) -> "AuditsAsyncStub":
        from mds.v1.audit_pb2_grpc import AuditsStub

        return AuditsStub(self._channel)

    @cached_property
    def edits(self) -> "EditsAsyncStub":
        from mds.v1.edit_pb2_grpc import EditsStub

        return EditsStub(self._channel)

    @cached_property
    def history(self) -> "HistoryAsyncStub":
        from mds.v1.history_pb2_grpc import HistoryStub

        return HistoryStub(self._channel)

    @cached_property
    def policies(self) -> "PoliciesAsyncStub":
        from mds.v1.policy_pb2_grpc import PoliciesStub

        return PoliciesStub(self._channel)

    @cached_property
    def maintenances(self) -> "MaintenancesAsyncStub":
        from mds.v1.maintenance_pb2_grpc import MaintenancesStub

        return MaintenancesStub(self._channel)

    @cached_property
    def machine_modes(self) -> "MachineModesAsyncStub":
        from mds.v1.machine_mode_pb2_grpc import MachineModesStub

        return MachineModesStub(self._channel)

    @cached_property
    def guards(self) -> "GuardsAsyncStub":
        from mds.v1.guard_pb2_grpc import GuardsStub

        return GuardsStub(self._channel)

    @cached_property
    def bundles(self) -> "BundlesAsyncStub":
        from mds.v1.bundle_pb2_grpc import BundlesStub

        return BundlesStub(self._channel)

    @cached_property
    def campaigns(self) -> "CampaignsAsyncStub":
        from mds.v1.campaign_pb2_grpc import CampaignsStub

        return CampaignsStub(self._channel)

    @cached_property
    def control_units(self) -> "ControlUnitsAsyncStub":
        from mds.v1.control_unit_pb2_grpc import ControlUnitsStub

        return ControlUnitsStub(self._channel)

    @cached_property
    def datasets(self) -> "DatasetsAsyncStub":
        from mds.v1.dataset_pb2_grpc import DatasetsStub

        return DatasetsStub(self._channel)

    @cached_property
    def execution_units(self) -> "ExecutionUnitsAsyncStub":
        from mds.v1.execution_unit_pb2_grpc import ExecutionUnitsStub

        return ExecutionUnitsStub(self._channel)

    @cached_property
    def instantiations(self) -> "InstantiationsAsyncStub":
        from mds.v1.instantiation_pb2_grpc import InstantiationsStub

        return InstantiationsStub(self._channel)

    @cached_property
    def operations(self) -> "OperationsAsyncStub":
        from mds.v1.operation_pb2_grpc import OperationsStub

        return OperationsStub(self._channel)

    @cached_property
    def live_values(self) -> "LiveValuesAsyncStub":
        from mds.v1.live_values_pb2_grpc import LiveValuesStub

        return LiveValuesStub(self._channel)

    @cached_property
    def overview(self) -> "OverviewAsyncStub":
        from mds.v1.overview_pb2_grpc import OverviewStub

        return OverviewStub(self._channel)

    @cached_property
    def registration(self) -> "RegistrationAsyncStub":
        from mds.v1.registration_pb2_grpc import RegistrationStub

        return RegistrationStub(self._channel)

    @cached_property
    def scripts(self) -> "ScriptsAsyncStub":
        from mds.v1.script_pb2_grpc import ScriptsStub

        return ScriptsStub(self._channel)

    @cached_property
    def sightings(self) -> "SightingsAsyncStub":
        from mds.v1.sighting_pb2_grpc import SightingsStub

        return SightingsStub(self._channel)

    @cached_property
    def snapshots(self) -> "SnapshotsAsyncStub":
        from mds.v1.snapshot_pb2_grpc import SnapshotsStub

        return SnapshotsStub(self._channel)

    @cached_property
    def templates(self) -> "TemplatesAsyncStub":
        from mds.v1.template_pb2_grpc import TemplatesStub

        return TemplatesStub(self._channel)

    @cached_property
    def unit_lists(self) -> "UnitListsAsyncStub":
        from mds.v1.unit_list_pb2_grpc import UnitListsStub

        return UnitListsStub(self._channel)

    @cached_property
    def unit_servers(self) -> "UnitServersAsyncStub":
        from mds.v1.unit_server_pb2_grpc import UnitServersStub

        return UnitServersStub(self._channel)

    @cached_property
    def variables(self) -> "VariablesAsyncStub":
        from mds.v1.variable_pb2_grpc import VariablesStub

        return VariablesStub(self._channel)

    @cached_property
    def watch(self) -> "WatchAsyncStub":
        from mds.v1.watch_pb2_grpc import WatchStub

        return WatchStub(self._channel)


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
