# Made by tools/generate_client_face.py from the asynchronous client: change that one.
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from google.protobuf.message import Message
from mds.v1.agent_pb2 import Agent
from mds.v1.agent_pb2_grpc import AgentsStub
from mds.v1.agent_report_pb2 import AgentStatus
from mds.v1.agent_report_pb2_grpc import AgentReportsStub
from mds.v1.audit_pb2_grpc import AuditsStub
from mds.v1.bundle_pb2 import BundleHeader
from mds.v1.bundle_pb2_grpc import BundlesStub
from mds.v1.campaign_pb2 import Campaign
from mds.v1.campaign_pb2_grpc import CampaignsStub
from mds.v1.control_unit_pb2 import ControlUnit, ControlUnitStatus
from mds.v1.control_unit_pb2_grpc import ControlUnitsStub
from mds.v1.dataset_pb2_grpc import DatasetsStub
from mds.v1.edit_pb2 import UnitSelection
from mds.v1.edit_pb2_grpc import EditsStub
from mds.v1.execution_unit_pb2 import ExecutionUnit
from mds.v1.execution_unit_pb2_grpc import ExecutionUnitsStub
from mds.v1.filter_pb2_grpc import FiltersStub
from mds.v1.guard_pb2 import Guard
from mds.v1.guard_pb2_grpc import GuardsStub
from mds.v1.history_pb2_grpc import HistoryStub
from mds.v1.instantiation_pb2 import Instantiation
from mds.v1.instantiation_pb2_grpc import InstantiationsStub
from mds.v1.kind_pb2 import Kind
from mds.v1.live_values_pb2_grpc import LiveValuesStub
from mds.v1.machine_mode_pb2 import MachineMode
from mds.v1.machine_mode_pb2_grpc import MachineModesStub
from mds.v1.maintenance_pb2 import Maintenance
from mds.v1.maintenance_pb2_grpc import MaintenancesStub
from mds.v1.operation_pb2 import Operation, OrderVerb
from mds.v1.operation_pb2_grpc import OperationsStub
from mds.v1.operation_step_pb2 import OperationStep, StepState
from mds.v1.overview_pb2_grpc import OverviewStub
from mds.v1.policy_pb2 import Policy
from mds.v1.policy_pb2_grpc import PoliciesStub
from mds.v1.position_pb2 import Position
from mds.v1.registration_pb2_grpc import RegistrationStub
from mds.v1.replica_pb2_grpc import ReplicasStub
from mds.v1.script_pb2 import Script
from mds.v1.script_pb2_grpc import ScriptsStub
from mds.v1.sighting_pb2_grpc import SightingsStub
from mds.v1.snapshot_pb2 import Snapshot
from mds.v1.snapshot_pb2_grpc import SnapshotsStub
from mds.v1.template_pb2 import Template
from mds.v1.template_pb2_grpc import TemplatesStub
from mds.v1.token_pb2_grpc import TokensStub
from mds.v1.unit_list_pb2 import UnitList
from mds.v1.unit_list_pb2_grpc import UnitListsStub
from mds.v1.unit_server_pb2 import UnitServer, UnitServerStatus
from mds.v1.unit_server_pb2_grpc import UnitServersStub
from mds.v1.variable_pb2 import Variable
from mds.v1.variable_pb2_grpc import VariablesStub
from mds.v1.watch_pb2 import WatchResponse
from mds.v1.watch_pb2_grpc import WatchStub
from mds.v1.webhook_pb2 import Webhook
from mds.v1.webhook_pb2_grpc import WebhooksStub

from control_units.client.bundles import Outcome
from control_units.client.errors import ClientError
from control_units.client.mirror import Callback
from control_units.client.resource_changes import Change

R = TypeVar("R", bound=Message)

class SyncChanges:
    """Changes after a position, in order, each once, none missed; goes on at another server when
    one ends, drains, or falls silent.

    `for word in changes` gives what a server says: changes of whole revisions, with the
    position after them, and bookmarks, which have none. To stop before its end, `close` it, or
    use it in `with`.

    Attributes:
        position: everything that passes, up to here, has been given; None: it has not begun.
        failure: why no server tells now; None: one does, as far as is known.
    """

    position: Position | None
    failure: ClientError | None

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def close(self) -> None:
        """Stops."""
        ...

    def __iter__(self) -> Self: ...
    def __next__(self) -> WatchResponse:
        """What is said next.

        Raises:
            HistoryGone: what follows its position is no longer kept, or was of another store.
            Refused: what is asked for cannot be watched.
        """
        ...

class SyncReading(Generic[R]):
    """Resources that can be read.

    Wherever an id is asked for, a whole name (`control_units/DAFNE/PL/QSK`) is one, too. `timeout`
    is what a call may take in all, in s; of a list, each page of it.

    Attributes:
        collection: what their names begin with: `control_units`.
        service: of the contract, that reads them: `ControlUnits`.
    """

    collection: str
    service: str

    def name(self, id: str) -> str:
        """The name of the one with this id."""
        ...

    def id(self, resource: R) -> str:
        """The id of a resource: its name without the collection."""
        ...

    def get(self, id: str, *, as_of: str = "", timeout: float | None = None) -> R:
        """One resource.

        Args:
            as_of: a revision (`120`) or a time (RFC 3339); empty: now.

        Raises:
            NotFound: there is none of this id.
        """
        ...

    def list(
        self,
        request: Message | None = None,
        *,
        id_prefix: str = "",
        filter: str = "",
        order_by: str = "",
        as_of: str = "",
        timeout: float | None = None,
    ) -> Iterator[R]:
        """All resources that pass, page after page, all as of the first page's position.

        Args:
            request: the contract's request (`ListControlUnitsRequest(zone="DAFNE")`), for what
                has no word here.
            filter: in the language of filters: `zone=DAFNE level>2`.
            order_by: a key, with ` desc` for the opposite order; empty: by id.
        """
        ...

    def pages(
        self,
        words: Mapping[str, str],
        request: Message | None = None,
        *,
        timeout: float | None = None,
    ) -> Iterator[Any]:
        """The same, page by page, each the contract's reply (`ListControlUnitsResponse`)."""
        ...

class SyncWatched(SyncReading[R]):
    """Resources whose changes are told."""

    def mirror(self, *, id_prefix: str = "", filter: str = "") -> SyncMirror[R]:
        """All resources that pass, kept current: `with client.variables.mirror() as mirror`."""
        ...

    @property
    def kind(self) -> Kind.ValueType:
        """What the contract calls them: KIND_CONTROL_UNIT."""
        ...

class SyncCollection(SyncWatched[R]):
    """Resources that people declare.

    Every change says `reason`, for the history; with `validate_only` it is checked as a whole and
    nothing is written.
    """

    def create(
        self,
        resource: R,
        *,
        reason: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> R:
        """Creates a resource; its name stands in it.

        Raises:
            AlreadyExists: there is one of this name.
            Invalid: it breaks a rule.
        """
        ...

    def update(
        self,
        resource: R,
        *fields: str,
        reason: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> R:
        """Writes fields of a resource as it stands here, provided that nobody has changed them
        since it was read.

        Args:
            resource: with the etag that was read; `*` in its place: whatever is there now.
            fields: which; none: all.

        Raises:
            Stale: somebody has; `conflicts` says what. See `change`.
        """
        ...

    def change(
        self,
        id: str,
        edit: Callable[[R], object],
        *,
        reason: str = "",
        timeout: float | None = None,
    ) -> R:
        """Reads a resource, has a function change it, and writes what differs; when somebody else
        was faster, all again with what is there then.

        Args:
            edit: changes the resource in place; may be called several times. What it raises ends
                the call. When it changes nothing, nothing is written.
            timeout: for all tries together.

        Raises:
            Stale: somebody else was faster each time, until the time was over.
        """
        ...

    def delete(
        self,
        resource: R | str,
        *,
        etag: str = "",
        reason: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Deletes a resource; its history stays.

        Args:
            resource: as it was read, or an id.
            etag: with an id, the one that was read; `*`: whatever is there now.

        Raises:
            Stale: somebody has changed it since.
            Precondition: others depend on it (STILL_IN_USE), or an id came without an etag.
        """
        ...

class SyncMirror(Generic[R]):
    """All resources of a kind that pass, by id: listed once, then kept current by a watch.

    `mirror["DAFNE/PL/QSK"]`, `in`, `len`, iteration over ids, `get`, `values`, `items`. What it
    holds is always as of one revision; it belongs to the mirror: copy a message before you write
    to it. While no server answers it holds what it knew, and says so. When the history that it
    would go on from is gone, it lists again, and tells what has become of its resources.

    Attributes:
        position: as of where it is.
        failure: why it has ended by itself (a filter that is not understood by the next server);
            None: it has not.
    """

    position: Position
    failure: ClientError | None

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def __getitem__(self, id: str) -> R: ...
    def __contains__(self, id: object) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]:
        """Ids, as they are when it begins."""
        ...

    def get(self, id: str) -> R | None:
        """The resource with this id; None: it is not here."""
        ...

    def values(self) -> list[R]:
        """All resources, as they are now."""
        ...

    def items(self) -> list[tuple[str, R]]:
        """All ids with their resources, as they are now."""
        ...

    @property
    def is_current(self) -> bool:
        """Whether a server has just said that nothing is missing."""
        ...

    @property
    def stale_since(self) -> datetime | None:
        """When a server last said that nothing is missing, UTC; None: it is current."""
        ...

    def on_change(self, callback: Callback[R]) -> Callable[[], None]:
        """Calls a function with all that has changed at once, each time; until what is returned
        is called. It is called between two steps of the loop: it must be quick. What it raises
        is logged, and the mirror goes on."""
        ...

    def changes(self) -> Iterator[Change[R]]:
        """What changes from now on, as fast as its reader takes it: what changes several times
        in between is told once, with what it was before and what it is now.

        Raises:
            ClientError: the mirror has ended by itself.
        """
        ...

    def changed(self, *, timeout: float | None = None) -> None:
        """Waits until something in it changes, or it ends.

        Raises:
            ClientError: the mirror has ended by itself.
            TimeoutError: nothing has in that many seconds.
        """
        ...

    def reached(self, position: str, *, timeout: float | None = None) -> None:
        """Waits until it holds what was there at a position: `client.position` after a call of
        one's own.

        Raises:
            ClientError: the mirror has ended by itself.
            TimeoutError: it has not come there in that many seconds.
        """
        ...

class SyncStatusMirror(SyncMirror[ControlUnitStatus]):
    """A mirror of statuses. Where contact or health may have changed, they are read again: a status
    may be newer than `position`, never older."""

    def __exit__(self, *raised: object) -> None: ...
    @property
    def stale_since(self) -> datetime | None:
        """When a server last said that nothing is missing, UTC; None: it is current."""
        ...

class SyncStatuses(SyncWatched[ControlUnitStatus]):
    """What control units last said of themselves."""

    def mirror(self, *, id_prefix: str = "", filter: str = "") -> SyncStatusMirror:
        """All statuses that pass, kept current, with their contact and health."""
        ...

class SyncOrdering(SyncReading[Operation]):
    """Operations."""

    def order(
        self,
        verb: OrderVerb.ValueType,
        units: UnitSelection | Iterable[str],
        *,
        reason: str = "",
        settings: Operation | None = None,
        wait: bool = False,
        all_or_none: bool = False,
        timeout: float | None = None,
    ) -> SyncRunningOperation:
        """Gives an order, which is carried out whether or not anybody follows it.

        Args:
            units: which: a selection, or their ids.
            settings: how: what people may set of an operation besides (`at_once`, `on_failure`).
            wait: plans and stops there, until somebody resumes it.
            all_or_none: refused if anything stands against any unit; else those are left out.

        Raises:
            Precondition: units are blocked; `violations` names each.
        """
        ...

    def follow(self, id: str, *, timeout: float | None = None) -> SyncRunningOperation:
        """An operation that somebody has ordered.

        Raises:
            NotFound: there is none of this id.
        """
        ...

    def changes_of(self, operation: Operation) -> SyncChanges:
        """Word of each change of an operation, from now on."""
        ...

    def steps(
        self,
        id: str,
        *states: StepState.ValueType,
        filter: str = "",
        order_by: str = "",
        timeout: float | None = None,
    ) -> Iterator[OperationStep]:
        """The steps of an operation; of some states, or all.

        Args:
            filter: in the language of filters: `attempts>1 message:timeout`.
            order_by: a key, with ` desc` for the opposite order; empty: that of its plan.
        """
        ...

    def steer(
        self, verb: str, id: str, *, reason: str = "", timeout: float | None = None
    ) -> Operation:
        """Has an operation `Pause`, `Resume`, `Abort` or `Retry`."""
        ...

class SyncRunningOperation:
    """An operation that is followed: `running.done()`, or `for operation in running`
    for each change until it has ended. It goes on if nobody follows it.

    Attributes:
        operation: as it was when it was last looked at.
    """

    operation: Operation

    @property
    def id(self) -> str: ...
    @property
    def is_over(self) -> bool: ...
    def done(self, *, timeout: float | None = None) -> Operation:
        """Waits until it has ended, with all done.

        Raises:
            NotReached: it has ended otherwise.
            TimeoutError: it has not ended in that many seconds; it goes on.
        """
        ...

    def __iter__(self) -> Iterator[Operation]: ...
    def pause(self, *, reason: str = "", timeout: float | None = None) -> None:
        """Begins no further step until it is resumed."""
        ...

    def resume(self, *, reason: str = "", timeout: float | None = None) -> None:
        """Lets it go on."""
        ...

    def abort(self, *, reason: str = "", timeout: float | None = None) -> None:
        """Ends all steps that have not begun."""
        ...

    def retry(self, *, reason: str = "", timeout: float | None = None) -> None:
        """Begins again the steps that failed."""
        ...

class SyncClient:
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

    agent_reports: AgentReportsStub
    agent_statuses: SyncAgentStatuses
    agents: SyncAgents
    audits: AuditsStub
    bundles: BundlesStub
    campaigns: SyncCampaigns
    control_unit_statuses: SyncControlUnitStatuses
    control_units: SyncControlUnits
    datasets: DatasetsStub
    edits: EditsStub
    execution_units: SyncExecutionUnits
    guards: SyncGuards
    history: HistoryStub
    instantiations: SyncInstantiations
    live_values: LiveValuesStub
    machine_modes: SyncMachineModes
    maintenances: SyncMaintenances
    operations: SyncOperations
    overview: OverviewStub
    replicas: ReplicasStub
    policies: SyncPolicies
    registration: RegistrationStub
    scripts: SyncScripts
    sightings: SightingsStub
    filters: FiltersStub
    snapshots: SyncSnapshots
    templates: SyncTemplates
    tokens: TokensStub
    unit_lists: SyncUnitLists
    unit_server_statuses: SyncUnitServerStatuses
    unit_servers: SyncUnitServers
    variables: SyncVariables
    watch: WatchStub
    webhooks: SyncWebhooks

    def __init__(
        self,
        address: str | Sequence[str] | None = None,
        *,
        principal: str | None = None,
        token: str | None = None,
        program: str = "control_units",
        timeout: float = 20.0,
    ) -> None: ...
    def with_token(self, token: str) -> Self:
        """A client over the same connections for somebody else, who is known by a token: for
        programs that serve many. Only the first one is closed.

        Raises:
            BadToken: the token cannot be one.
        """
        ...

    def with_token_of_each(self, ask: Callable[[], str]) -> Self:
        """A client over the same connections for many people at once: each call shows the token
        that `ask` tells then, or none where it tells nothing. Only the first one is closed."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def close(self) -> None:
        """Ends all calls under way and lets go of the connections."""
        ...

    def changes(
        self,
        *kinds: Kind.ValueType,
        id_prefix: str = "",
        filter: str = "",
        after: Position | None = None,
    ) -> SyncChanges:
        """What happens to resources of some kinds (none: all), after a position or from now on:
        `for word in client.changes(Kind.KIND_CONTROL_UNIT)`."""
        ...

    def apply(
        self,
        resources: Iterable[Message],
        header: BundleHeader | None = None,
        *,
        reason: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> Outcome:
        """Creates and replaces resources of any kinds in one change, all of them or nothing.

        Args:
            resources: in any order, each with its name.
            header: how, where they are not to replace what is there (`on_conflict`, `prune`).

        Raises:
            NotApplied: something is wrong with some of them; its outcome has all problems.
        """
        ...

    def export(
        self,
        *kinds: Kind.ValueType,
        id_prefix: str = "",
        as_of: str = "",
        timeout: float | None = None,
    ) -> Iterator[Any]:
        """All resources that people declare, of some kinds (none: all), as of one position, in an
        order in which `apply` takes them. `timeout` is for all of them; None: as long as it
        takes."""
        ...

    @property
    def written(self) -> str:
        """Where it looks for servers, as people write it."""
        ...

    @property
    def addresses(self) -> tuple[str, ...]:
        """The servers that may be asked, as far as they have been found."""
        ...

    @property
    def address(self) -> str:
        """The server that the next call asks first; before any was found, where it looks."""
        ...

    @property
    def http_address(self) -> str:
        """`host:port` of REST at the server that the next call asks first."""
        ...

    def find_servers(self, timeout: float | None = None) -> tuple[str, ...]:
        """The servers that may be asked, after looking for them where none is known.

        Raises:
            Unreachable: there is none.
        """
        ...

    @property
    def position(self) -> str:
        """The position that the last answer named, `store_id/epoch/revision`; empty: none yet."""
        ...

    @property
    def failure(self) -> ClientError | None:
        """Why the last try of a call got no answer, for those who wait for the next; None: it
        got one, or there was no try."""
        ...

    def leave(self, address: str) -> None:
        """Has the next call ask another server first, when this one is in use."""
        ...

class SyncAgentStatuses(SyncReading[AgentStatus], AgentReportsStub):
    """Ellipsis"""

class SyncAgents(SyncCollection[Agent], AgentsStub):
    """Ellipsis"""

class SyncCampaigns(SyncCollection[Campaign], CampaignsStub):
    """Ellipsis"""

class SyncControlUnitStatuses(SyncStatuses, ControlUnitsStub):
    """Ellipsis"""

class SyncControlUnits(SyncCollection[ControlUnit], ControlUnitsStub):
    """Ellipsis"""

class SyncExecutionUnits(SyncCollection[ExecutionUnit], ExecutionUnitsStub):
    """Ellipsis"""

class SyncGuards(SyncCollection[Guard], GuardsStub):
    """Ellipsis"""

class SyncInstantiations(SyncReading[Instantiation], InstantiationsStub):
    """Ellipsis"""

class SyncMachineModes(SyncCollection[MachineMode], MachineModesStub):
    """Ellipsis"""

class SyncMaintenances(SyncCollection[Maintenance], MaintenancesStub):
    """Ellipsis"""

class SyncOperations(SyncOrdering, OperationsStub):
    """Ellipsis"""

class SyncPolicies(SyncCollection[Policy], PoliciesStub):
    """Ellipsis"""

class SyncScripts(SyncCollection[Script], ScriptsStub):
    """Ellipsis"""

class SyncSnapshots(SyncCollection[Snapshot], SnapshotsStub):
    """Ellipsis"""

class SyncTemplates(SyncCollection[Template], TemplatesStub):
    """Ellipsis"""

class SyncUnitLists(SyncCollection[UnitList], UnitListsStub):
    """Ellipsis"""

class SyncUnitServerStatuses(SyncWatched[UnitServerStatus], UnitServersStub):
    """Ellipsis"""

class SyncUnitServers(SyncCollection[UnitServer], UnitServersStub):
    """Ellipsis"""

class SyncVariables(SyncCollection[Variable], VariablesStub):
    """Ellipsis"""

class SyncWebhooks(SyncCollection[Webhook], WebhooksStub):
    """Ellipsis"""
