"""Unit servers: the declared processes that host control units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource


class LaunchOrder(StrEnum):
    """Whether people have ordered a unit server to run; UNSPECIFIED: `auto_start` says."""

    UNSPECIFIED = "UNSPECIFIED"
    RUN = "RUN"
    STOP = "STOP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How an agent launches a unit server; by construction at most one does.

    Attributes:
        agent: id of the agent.
        restart_count: grows with each order to restart.
        level: all of a level are launched before any of a higher one.
    """

    agent: str = ""
    command: str = ""
    configuration: str = ""
    working_directory: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    auto_start: bool = False
    keep_alive: bool = False
    log_on_console: bool = False
    order: LaunchOrder = LaunchOrder.UNSPECIFIED
    restart_count: int = 0
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitServer(Resource):
    """A process that hosts control units; launch None: it is started by hand."""

    kind: ClassVar[Kind] = Kind.UNIT_SERVER

    launch: Launch | None = None
