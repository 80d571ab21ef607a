"""What the attachments of a replica share."""

from __future__ import annotations

from dataclasses import dataclass

from metadata_server.domain.life.timing import Timing
from metadata_server.services.life.conditions import Conditions
from metadata_server.services.life.heartbeats import LeaseKeeper
from metadata_server.services.life.hosting import Hosting
from metadata_server.services.life.looks import Looks
from metadata_server.services.life.publication import Publication
from metadata_server.services.life.reports import StatusWriter
from metadata_server.services.values.value_writer import ValueWriter
from metadata_server.store.store import Store


@dataclass(frozen=True, slots=True)
class Means:
    """What all attachments of a replica share."""

    store: Store
    hosting: Hosting
    looks: Looks
    writer: StatusWriter
    values: ValueWriter
    keeper: LeaseKeeper
    publication: Publication
    conditions: Conditions
    timing: Timing
    stream_age_s: float
