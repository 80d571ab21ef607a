"""What is declared for one agent, as a value and as a file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from google.protobuf import json_format
from mds.v1.agent_pb2 import Agent
from mds.v1.unit_server_pb2 import ListUnitServersResponse, UnitServer
from mds.v1.watch_pb2 import Event

from control_units.agent.launching import UnitServerLaunch


@dataclass(frozen=True, slots=True)
class Declared:
    """An agent, and the unit servers that it launches.

    Attributes:
        unit_servers: by name, with its collection.
    """

    agent: Agent
    unit_servers: Mapping[str, UnitServer]

    @property
    def launches(self) -> dict[str, UnitServerLaunch]:
        """How to launch each, by id."""
        found = (UnitServerLaunch.of(each, self.agent) for each in self.unit_servers.values())
        return {launch.unit_server: launch for launch in found}

    def after(self, event: Event) -> Self:
        """What is declared once this has happened."""
        if event.name == self.agent.name:
            # A deleted agent has no unit servers left, or it could not have been deleted.
            return replace(self, agent=event.agent) if event.HasField("agent") else self
        unit_servers = dict(self.unit_servers)
        for gone in (event.name, event.former_name):
            unit_servers.pop(gone, None)
        declared = event.unit_server
        if event.HasField("unit_server") and declared.launch.agent == self.agent.name:
            unit_servers[declared.name] = declared
        return replace(self, unit_servers=unit_servers)

    def to_bytes(self) -> bytes:
        """JSON, for a file that people may read."""
        page = ListUnitServersResponse(unit_servers=self.unit_servers.values())
        return b"\n".join(
            json_format.MessageToJson(message, indent=None).encode()
            for message in (self.agent, page)
        )

    @classmethod
    def of_bytes(cls, content: bytes) -> Self:
        """Raises: json_format.ParseError, UnicodeDecodeError."""
        agent, _, page = content.decode().partition("\n")
        read = json_format.Parse(page, ListUnitServersResponse(), ignore_unknown_fields=True)
        return cls(
            json_format.Parse(agent, Agent(), ignore_unknown_fields=True),
            {each.name: each for each in read.unit_servers},
        )
