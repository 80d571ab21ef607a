"""All servicers of the contract, with health and reflection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from mds.v1 import (
    agent_pb2,
    agent_pb2_grpc,
    agent_report_pb2,
    agent_report_pb2_grpc,
    audit_pb2,
    audit_pb2_grpc,
    bundle_pb2,
    bundle_pb2_grpc,
    campaign_pb2,
    campaign_pb2_grpc,
    control_unit_pb2,
    control_unit_pb2_grpc,
    dataset_pb2,
    dataset_pb2_grpc,
    edit_pb2,
    edit_pb2_grpc,
    execution_unit_pb2,
    execution_unit_pb2_grpc,
    filter_pb2,
    filter_pb2_grpc,
    guard_pb2,
    guard_pb2_grpc,
    history_pb2,
    history_pb2_grpc,
    instantiation_pb2,
    instantiation_pb2_grpc,
    live_values_pb2,
    live_values_pb2_grpc,
    machine_mode_pb2,
    machine_mode_pb2_grpc,
    maintenance_pb2,
    maintenance_pb2_grpc,
    operation_pb2,
    operation_pb2_grpc,
    overview_pb2,
    overview_pb2_grpc,
    policy_pb2,
    policy_pb2_grpc,
    registration_pb2,
    registration_pb2_grpc,
    replica_pb2,
    replica_pb2_grpc,
    script_pb2,
    script_pb2_grpc,
    sighting_pb2,
    sighting_pb2_grpc,
    snapshot_pb2,
    snapshot_pb2_grpc,
    template_pb2,
    template_pb2_grpc,
    token_pb2,
    token_pb2_grpc,
    unit_list_pb2,
    unit_list_pb2_grpc,
    unit_server_pb2,
    unit_server_pb2_grpc,
    variable_pb2,
    variable_pb2_grpc,
    watch_pb2,
    webhook_pb2,
    webhook_pb2_grpc,
)

from metadata_server.api.agent_report import (
    AgentParts,
    AgentReportsServicer,
    LaunchOrderMethods,
)
from metadata_server.api.audit import AuditsServicer
from metadata_server.api.bundle import BundlesServicer
from metadata_server.api.campaign import CampaignMethods
from metadata_server.api.dataset import DatasetsServicer
from metadata_server.api.edit import EditsServicer
from metadata_server.api.explanation import ExplanationMethods
from metadata_server.api.filter import FiltersServicer
from metadata_server.api.health import Health
from metadata_server.api.history import HistoryParts, HistoryServicer
from metadata_server.api.instantiation import InstantiationsServicer
from metadata_server.api.live_values import LiveValuesServicer
from metadata_server.api.operation import OperationParts, OperationsServicer
from metadata_server.api.overview import OverviewServicer
from metadata_server.api.pages import weight_of, written
from metadata_server.api.registration import RegistrationServicer
from metadata_server.api.renaming import RenamingMethods
from metadata_server.api.replica import ReplicasServicer
from metadata_server.api.sighting import SightingsServicer
from metadata_server.api.snapshot import SnapshotMethods
from metadata_server.api.standard import StandardMethods
from metadata_server.api.status import StatusMethods
from metadata_server.api.template import TemplateMethods
from metadata_server.api.token import TokensServicer
from metadata_server.api.watch import add_watch
from metadata_server.api.webhook import WebhookMethods
from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import (
    Agent,
    ExecutionUnit,
    Policy,
    Script,
    Snapshot,
    Variable,
)
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.orchestration.campaign import Campaign
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.services.access.tokens import Tokens
from metadata_server.services.auditing.audit import Audits
from metadata_server.services.deliveries.webhooks import Webhooks
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.edits import Edits
from metadata_server.services.intent.rebase import Rebases
from metadata_server.services.intent.renaming import Renaming
from metadata_server.services.intent.resources import Resources
from metadata_server.services.intent.versioning import Versioning
from metadata_server.services.life.liveness import Liveness
from metadata_server.services.life.sightings import Sightings
from metadata_server.services.life.statuses import Statuses
from metadata_server.services.matches import Counting
from metadata_server.services.orchestration.campaigns import Campaigns
from metadata_server.services.past.explanations import Explanations
from metadata_server.services.past.instantiations import Instantiations
from metadata_server.services.replicas import Replicas
from metadata_server.services.values.live_values import LiveValues
from metadata_server.services.values.restoring import SnapshotRestoring
from metadata_server.services.values.snapshots import Snapshots
from metadata_server.services.values.taking import SnapshotTaking
from metadata_server.services.watching.overview import Overviews
from metadata_server.services.watching.remembered import Remembered
from metadata_server.services.watching.samples import Samples
from metadata_server.services.watching.watch import Watching
from metadata_server.store.intent.shelf import Shelf

STANDARD = (
    (Template, template_pb2, template_pb2_grpc),
    (UnitServer, unit_server_pb2, unit_server_pb2_grpc),
    (ControlUnit, control_unit_pb2, control_unit_pb2_grpc),
    (Agent, agent_pb2, agent_pb2_grpc),
    (ExecutionUnit, execution_unit_pb2, execution_unit_pb2_grpc),
    (Variable, variable_pb2, variable_pb2_grpc),
    (Script, script_pb2, script_pb2_grpc),
    (Snapshot, snapshot_pb2, snapshot_pb2_grpc),
    (Policy, policy_pb2, policy_pb2_grpc),
    (Maintenance, maintenance_pb2, maintenance_pb2_grpc),
    (MachineMode, machine_mode_pb2, machine_mode_pb2_grpc),
    (Guard, guard_pb2, guard_pb2_grpc),
    (UnitList, unit_list_pb2, unit_list_pb2_grpc),
    (Campaign, campaign_pb2, campaign_pb2_grpc),
    (Webhook, webhook_pb2, webhook_pb2_grpc),
)
"""Kinds with the five standard methods, and the generated modules that name them."""


def add_standard(
    server: grpc.aio.Server, resources: Resources, remembered: Remembered, more: dict[str, Any]
) -> None:
    """Adds the service of each kind: its standard methods, and those of `more` by name."""
    shelf = Shelf(written, weight_of)
    for type_, protocol, protocol_grpc in STANDARD:
        methods = StandardMethods(type_, protocol, resources, remembered, shelf)
        service = methods.words
        base = getattr(protocol_grpc, f"{service}Servicer")
        handlers = methods.handlers() | {
            name: handler for name, handler in more.items() if hasattr(base, name)
        }
        servicer = type(f"{service}Servicer", (base,), {})()
        for name, handler in handlers.items():
            setattr(servicer, name, handler)
        getattr(protocol_grpc, f"add_{service}Servicer_to_server")(servicer, server)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The use cases that the servicers call; `replica` is the name of this one."""

    replica: str
    resources: Resources
    remembered: Remembered
    versioning: Versioning
    renaming: Renaming
    snapshots: Snapshots
    campaigns: Campaigns
    bundles: Bundles
    edits: Edits
    rebases: Rebases
    history: HistoryParts
    statuses: Statuses
    explanations: Explanations
    liveness: Liveness
    live_values: LiveValues
    taking: SnapshotTaking
    restoring: SnapshotRestoring
    instantiations: Instantiations
    sightings: Sightings
    watching: Watching
    webhooks: Webhooks
    overviews: Overviews
    samples: Samples
    replicas: Replicas
    audits: Audits
    operations: OperationParts
    agents: AgentParts
    tokens: Tokens
    counting: Counting


def add_health_and_reflection(server: grpc.aio.Server, health: Health) -> None:
    """Adds what a replica serves on its gRPC port beside the protocol."""
    health_pb2_grpc.add_HealthServicer_to_server(health.servicer, server)
    names = [
        *(service.full_name for module in SERVED for service in services_of(module)),
        health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
        reflection.SERVICE_NAME,
    ]
    servicer = reflection.aio.ReflectionServicer(names)
    add: Any = reflection_pb2_grpc.add_ServerReflectionServicer_to_server  # has no types
    add(servicer, server)


def add_protocol(server: grpc.aio.Server, parts: Parts) -> None:
    """Adds the services of the protocol."""
    more = (
        StatusMethods(parts.statuses, parts.remembered),
        ExplanationMethods(parts.explanations),
        TemplateMethods(parts.versioning),
        RenamingMethods(parts.renaming),
        SnapshotMethods(parts.snapshots),
        CampaignMethods(parts.campaigns),
        LaunchOrderMethods(parts.agents.orders),
        WebhookMethods(parts.webhooks),
    )
    handlers = {name: handler for each in more for name, handler in each.handlers().items()}
    add_standard(server, parts.resources, parts.remembered, handlers)
    bundle_pb2_grpc.add_BundlesServicer_to_server(BundlesServicer(parts.bundles), server)
    edit_pb2_grpc.add_EditsServicer_to_server(EditsServicer(parts.edits, parts.rebases), server)
    history_pb2_grpc.add_HistoryServicer_to_server(HistoryServicer(parts.history), server)
    audit_pb2_grpc.add_AuditsServicer_to_server(AuditsServicer(parts.audits), server)
    operation_pb2_grpc.add_OperationsServicer_to_server(
        OperationsServicer(parts.operations), server
    )
    filter_pb2_grpc.add_FiltersServicer_to_server(FiltersServicer(parts.counting), server)
    token_pb2_grpc.add_TokensServicer_to_server(TokensServicer(parts.tokens), server)
    add_liveness(server, parts)
    add_watch(server, parts.watching)
    overview_pb2_grpc.add_OverviewServicer_to_server(
        OverviewServicer(parts.overviews, parts.samples, replica=parts.replica), server
    )
    replica_pb2_grpc.add_ReplicasServicer_to_server(ReplicasServicer(parts.replicas), server)


def add_liveness(server: grpc.aio.Server, parts: Parts) -> None:
    """Adds what unit servers call, and what tells of their lives."""
    liveness = parts.liveness
    registration_pb2_grpc.add_RegistrationServicer_to_server(
        RegistrationServicer(liveness.registration, liveness.attachments, liveness.timing), server
    )
    dataset_pb2_grpc.add_DatasetsServicer_to_server(DatasetsServicer(liveness.publication), server)
    instantiation_pb2_grpc.add_InstantiationsServicer_to_server(
        InstantiationsServicer(parts.instantiations), server
    )
    agent_report_pb2_grpc.add_AgentReportsServicer_to_server(
        AgentReportsServicer(parts.agents), server
    )
    live_values_pb2_grpc.add_LiveValuesServicer_to_server(
        LiveValuesServicer(parts.live_values, parts.taking, parts.restoring), server
    )
    sighting_pb2_grpc.add_SightingsServicer_to_server(SightingsServicer(parts.sightings), server)


SERVED = (
    *(protocol for _, protocol, _ in STANDARD),
    bundle_pb2,
    edit_pb2,
    filter_pb2,
    operation_pb2,
    history_pb2,
    audit_pb2,
    registration_pb2,
    live_values_pb2,
    dataset_pb2,
    instantiation_pb2,
    sighting_pb2,
    agent_report_pb2,
    watch_pb2,
    overview_pb2,
    token_pb2,
    replica_pb2,
)


def services_of(module: Any) -> Any:
    return module.DESCRIPTOR.services_by_name.values()
