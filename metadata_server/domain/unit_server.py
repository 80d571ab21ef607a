"""Unit servers: the declared processes that host control units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How an agent launches a unit server; by construction at most one does.

    Attributes:
        agent: id of the agent.
    """

    agent: str = ""
    command: str = ""
    configuration: str = ""
    working_directory: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    auto_start: bool = False
    keep_alive: bool = False
    log_on_console: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitServer(Resource):
    """A process that hosts control units; launch None: it is started by hand."""

    kind: ClassVar[Kind] = Kind.UNIT_SERVER

    launch: Launch | None = None
