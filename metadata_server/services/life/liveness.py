"""The parts that know who is alive, put together."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from metadata_server.domain.life.timing import Timing
from metadata_server.services.life.arrivals import Arrivals
from metadata_server.services.life.attachments import Attachments
from metadata_server.services.life.conditions import Conditions
from metadata_server.services.life.configurations import Configurations
from metadata_server.services.life.coverages import Coverages
from metadata_server.services.life.heartbeats import LeaseKeeper
from metadata_server.services.life.hosting import Hosting
from metadata_server.services.life.looks import Looks
from metadata_server.services.life.means import Means
from metadata_server.services.life.publication import Publication
from metadata_server.services.life.registration import Registration
from metadata_server.services.life.reports import StatusWriter
from metadata_server.services.life.sweeps import Sweeps
from metadata_server.services.values.value_writer import ValueWriter
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.store import Store


class Liveness:
    """Unit servers of one replica, from registration to the end of their sessions."""

    def __init__(
        self, store: Store, tailer: Tailer, timing: Timing, *, stream_age_s: float, adopt: bool
    ) -> None:
        configurations = Configurations()
        hosting = Hosting(configurations)
        self.timing = timing
        self.looks = Looks(store, hosting)
        self.reports = StatusWriter(store, configurations)
        self.values = ValueWriter(store)
        self.keeper = LeaseKeeper(store, timing)
        self.publication = Publication(store, configurations)
        self.conditions = Conditions(store, configurations, timing)
        arrivals = Arrivals()
        self.registration = Registration(store, hosting, arrivals, timing, adopt=adopt)
        means = Means(
            store,
            hosting,
            self.looks,
            self.reports,
            self.values,
            self.keeper,
            self.publication,
            self.conditions,
            timing,
            stream_age_s,
        )
        self.attachments = Attachments(means, tailer, arrivals)
        self.coverages = Coverages(store, tailer, on_look=self.attachments.cover)
        self.sweeps = Sweeps(store, timing, on_lost=self._lost)

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        """What runs beside the calls, as long as the server does."""
        return [
            self.attachments.run(),
            self.coverages.run(),
            self.looks.run(),
            self.reports.run(),
            self.values.run(),
            self.keeper.run(),
            self.sweeps.run(),
            self.conditions.run(),
            self.conditions.patrol(),
        ]

    def _lost(self, session: str) -> None:
        self.attachments.lost(session)
        self.conditions.lost(session)

    def drain(self) -> None:
        """Ends all streams, so that unit servers attach elsewhere."""
        self.attachments.drain()
