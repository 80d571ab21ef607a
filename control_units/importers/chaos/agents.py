"""Agents, and what each of them launches."""

from collections.abc import Iterator
from dataclasses import dataclass

from mds.v1.agent_pb2 import Agent
from mds.v1.unit_server_pb2 import Launch

from control_units.importers.chaos.entries import Entry, entries, flag_of, is_empty, text_of
from control_units.importers.chaos.units import take_id, take_type
from control_units.importers.findings import Findings
from control_units.importers.json_text import Value, write

_ID = ("name", "ndk_uid")
_CONFIGURATION_OPTION = "--conf-file"


@dataclass(frozen=True, slots=True)
class Association:
    """How an agent launches a unit server or an execution unit.

    Attributes:
        node: id of what is launched.
        entry: as the file has it.
        launch: as a unit server has it.
        properties: what a launch has no place for, as JSON text by name.
    """

    node: str
    entry: Entry
    agent: str
    launch: Launch
    properties: dict[str, str]

    @property
    def place(self) -> str:
        return self.entry.place

    def launched_properties(self) -> dict[str, str]:
        """All of it as properties, for an execution unit, which has no launch: JSON text by
        name. What says nothing is left out."""
        return {
            name: write(value)
            for name, value in self.entry.whole().items()
            if name != "ndk_uid" and not is_empty(value)
        }


@dataclass(frozen=True, slots=True)
class StatedAgent:
    """An agent, and what it launches; `is_sound` is false when its entry has problems."""

    agent: Agent
    place: str
    associations: tuple[Association, ...]
    is_sound: bool


def read_agents(value: Value, place: str, findings: Findings) -> Iterator[StatedAgent]:
    """All agents of the section."""
    for entry in entries(value, place, findings):
        before = len(findings.problems)
        entry.unfold("info")
        agent_id = take_id(entry, "agents", findings, spellings=_ID)
        name = f"agents/{agent_id}"
        take_type(entry, "nt_agent")
        if entry.take("instance_name") != agent_id:
            entry.put_back("instance_name", entry.original("instance_name"))
        nodes = entry.place_of("andk_node_associated")
        associations = tuple(
            _read_association(each, name, findings)
            for each in entries(entry.take("andk_node_associated"), nodes, findings)
        )
        agent = Agent(
            name=name,
            description=entry.text("ndk_desc"),
            host=entry.text("ndk_host_name"),
            working_directory=entry.text("andk_working_directory"),
        )
        agent.properties.update(entry.properties(findings))
        is_sound = len(findings.problems) == before
        yield StatedAgent(agent, entry.place, associations, is_sound)


def _read_association(entry: Entry, agent: str, findings: Findings) -> Association:
    node = entry.text("ndk_uid") or entry.key
    if not node:
        findings.problem(entry.place_of("ndk_uid"), "the id of a node", value="", name=agent)
    configuration = entry.text("node_init_cfg")
    launch = Launch(
        agent=agent,
        command=_with_configuration(entry.text("node_launch_cmd_line"), configuration),
        configuration=configuration,
        working_directory=entry.text("node_workdir"),
        auto_start=_flag(entry, "node_auto_start", findings),
        keep_alive=_flag(entry, "node_keep_alive", findings),
        log_on_console=_flag(entry, "node_log_on_console", findings),
    )
    rest = {name: write(value) for name, value in entry.left_over() if not is_empty(value)}
    return Association(node, entry, agent, launch, rest)


def _with_configuration(command: str, configuration: str) -> str:
    """The command line as the agent of !CHAOS completed it: it wrote the text into a file, and
    named that in an option; here the command says so itself."""
    if not command or not configuration or _CONFIGURATION_OPTION in command:
        return command
    return f"{command} {_CONFIGURATION_OPTION} {{configuration_file}}"


def _flag(entry: Entry, field: str, findings: Findings) -> bool:
    value = entry.take(field)
    if is_empty(value):
        return False
    found = flag_of(value)
    if found is None:
        findings.problem(entry.place_of(field), "true or false", value=text_of(value))
    return bool(found)
