"""What can be asked of a replica, put together."""

from __future__ import annotations

from metadata_server.api.agent_report import AgentParts
from metadata_server.api.history import HistoryParts
from metadata_server.api.operation import OperationParts
from metadata_server.api.services import Parts
from metadata_server.api.webhook_sending import WebhookSender
from metadata_server.domain.life.timing import Timing
from metadata_server.services.access.tokens import Tokens
from metadata_server.services.agents.agent_reports import AgentReports
from metadata_server.services.agents.launch_orders import LaunchOrders
from metadata_server.services.agents.logs import Logs
from metadata_server.services.auditing.audit import Audits
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
from metadata_server.services.replicas import Replicas
from metadata_server.services.values.live_values import LiveValues
from metadata_server.services.values.restoring import SnapshotRestoring
from metadata_server.services.values.snapshots import Snapshots
from metadata_server.services.values.taking import SnapshotTaking
from metadata_server.services.watching.overview import Overviews
from metadata_server.services.watching.remembered import Remembered
from metadata_server.services.watching.samples import Samples
from metadata_server.services.watching.tailer import Tailer
from metadata_server.services.watching.watch import Watching
from metadata_server.settings import Settings
from metadata_server.store.store import Store


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
        resources=Resources(store, suspect_us=liveness.timing.suspect_us),
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
        counting=Counting(store, suspect_us=liveness.timing.suspect_us),
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
