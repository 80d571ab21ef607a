"""Hosts of a facility: agents as programs of their own, with a folder each, and what is declared
for them."""

import os
import signal
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.agent_pb2 import Agent, CreateAgentRequest
from mds.v1.agent_report_pb2 import (
    AgentStatus,
    GetAgentStatusRequest,
    ProcessState,
    UnitServerProcess,
)
from mds.v1.unit_server_pb2 import (
    CreateUnitServerRequest,
    Launch,
    UnitServer,
    UpdateUnitServerRequest,
)

from control_units.agent.folder import AgentFolder
from control_units.client import Client
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

PATIENCE_S = 40.0


@dataclass
class Hosts:
    """Agents by id; all are ended with what they launched when the test is over."""

    replica: Replica
    client: Client
    folder: Path
    programs: dict[str, Program] = field(default_factory=dict)

    async def declare_agent(self, id: str) -> None:
        agent = Agent(name=f"agents/{id}")
        await self.client.agents.CreateAgent(CreateAgentRequest(agent=agent))

    async def agent(self, id: str, *options: str) -> Program:
        """A declared agent that runs."""
        await self.declare_agent(id)
        return self.launch_agent(id, *options)

    def launch_agent(self, id: str, *options: str) -> Program:
        program = Program.mds(
            "agent", "run", id, "--longest-pause", "0.1", *options,
            log=self.folder / f"agent-{uuid.uuid4().hex}.log",
            environment={
                "MDS_ADDRESS": self.replica.address,
                "MDS_STATE_FOLDER": str(self.folder / id),
            },
        )  # fmt: skip
        self.programs[id] = program
        program.start()
        return program

    async def declare(self, id: str, command: str, *, agent: str) -> UnitServer:
        launch = Launch(agent=f"agents/{agent}", command=command, auto_start=True, keep_alive=True)
        server = UnitServer(name=f"unit_servers/{id}", launch=launch)
        return await self.client.unit_servers.CreateUnitServer(
            CreateUnitServerRequest(unit_server=server)
        )

    async def move(self, server: UnitServer, agent: str) -> None:
        server.launch.agent = f"agents/{agent}"
        await self.client.unit_servers.UpdateUnitServer(
            UpdateUnitServerRequest(unit_server=server, update_mask=FieldMask(paths=["launch"]))
        )

    async def status(self, agent: str) -> AgentStatus:
        return await self.client.agent_reports.GetAgentStatus(
            GetAgentStatusRequest(agent=f"agents/{agent}")
        )

    async def process(self, agent: str, id: str) -> UnitServerProcess:
        """What an agent says of a unit server; nothing, where it says nothing."""
        found = (await self.status(agent)).processes
        name = f"unit_servers/{id}"
        return next((each for each in found if each.unit_server == name), UnitServerProcess())

    async def reaches(
        self, agent: str, id: str, state: str, *, other_than: int = -1
    ) -> UnitServerProcess:
        """The process of a unit server, once its agent says that it is in a state."""
        wanted = ProcessState.Value(f"PROCESS_STATE_{state}")

        async def found() -> UnitServerProcess | None:
            process = await self.process(agent, id)
            return process if process.state == wanted and process.pid != other_than else None

        process = await until(found, within=PATIENCE_S, what=f"{id} {state} at {agent}")
        assert process is not None
        return process

    def clear(self) -> None:
        for id, program in self.programs.items():
            program.clear()
            left = AgentFolder(id, state_folder=self.folder / id).remembered()
            for each in left.values():
                if each.mark.is_alive():
                    os.killpg(each.mark.pid, signal.SIGKILL)
