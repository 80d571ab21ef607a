"""How a declared launch becomes a command line."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from mds.v1.agent_pb2 import Agent
from mds.v1.unit_server_pb2 import LaunchOrder, UnitServer

from control_units.figures import PORT_VARIABLE

CONFIGURATION_FILE = "{configuration_file}"
UNIT_SERVER = "{unit_server}"


class LaunchInvalid(Exception):
    """A declared command cannot be a command line."""


@dataclass(frozen=True, slots=True)
class UnitServerLaunch:
    """How one unit server is launched.

    Attributes:
        command: words as a shell would split them; no shell sees them. `{configuration_file}`
            and `{unit_server}` in a word stand for the path of the file that holds
            `configuration`, and for the id.
        configuration: text of that file; the file is there when it is empty, too.
        working_directory: empty: the folder that the agent runs in.
        environment: what is set beside what the agent was given.
        auto_start: launched without an order.
        order: what people have ordered.
        restart_count: grows with each order to restart.
        level: all of a level are launched before any of a higher one.
        keep_alive: launched again when it ends, whatever its exit status.
        log_on_console: its output is copied to that of the agent.
    """

    unit_server: str
    command: str
    configuration: str = ""
    working_directory: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    auto_start: bool = False
    keep_alive: bool = False
    log_on_console: bool = False
    order: LaunchOrder.ValueType = LaunchOrder.LAUNCH_ORDER_UNSPECIFIED
    restart_count: int = 0
    level: int = 0

    @classmethod
    def of(cls, declared: UnitServer, agent: Agent) -> Self:
        """A unit server's own folder goes before the one declared for its agent."""
        launch = declared.launch
        return cls(
            declared.name.removeprefix("unit_servers/"),
            launch.command,
            configuration=launch.configuration,
            working_directory=launch.working_directory or agent.working_directory,
            environment=dict(launch.environment),
            auto_start=launch.auto_start,
            keep_alive=launch.keep_alive,
            log_on_console=launch.log_on_console,
            order=launch.order,
            restart_count=launch.restart_count,
            level=launch.level,
        )

    @property
    def is_wanted(self) -> bool:
        """Whether it is to run, by what was ordered, else by what is declared."""
        if self.order == LaunchOrder.LAUNCH_ORDER_UNSPECIFIED:
            return self.auto_start
        return self.order == LaunchOrder.LAUNCH_ORDER_RUN

    @property
    def is_stopped(self) -> bool:
        """Whether people have ordered that it does not run."""
        return self.order == LaunchOrder.LAUNCH_ORDER_STOP

    def arguments(self, configuration_file: Path) -> list[str]:
        """The command line.

        Raises:
            LaunchInvalid: the command is empty, or a quote in it is left open.
        """
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise LaunchInvalid(
                f"launch.command of {self.unit_server}: {self.command!r} cannot be split into "
                f"words: {error}. Close the quote, or put a backslash before it."
            ) from error
        if not words:
            raise LaunchInvalid(
                f"launch.command of {self.unit_server} is empty: name the program to run."
            )
        return [
            word.replace(CONFIGURATION_FILE, str(configuration_file)).replace(
                UNIT_SERVER, self.unit_server
            )
            for word in words
        ]

    def whole_environment(self) -> dict[str, str]:
        """What the agent was given, save where its own figures are, and what is declared."""
        given = {name: text for name, text in os.environ.items() if name != PORT_VARIABLE}
        return {**given, **self.environment}
