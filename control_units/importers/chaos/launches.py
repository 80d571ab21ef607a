"""Who launches what: the associations of agents, and the parents that entries name."""

from collections.abc import Iterable

from mds.v1.bundle_pb2 import BundleItem

from control_units.importers.chaos.agents import Association, StatedAgent
from control_units.importers.chaos.execution_units import StatedProgram, execution_unit
from control_units.importers.chaos.unit_servers import StatedServer
from control_units.importers.findings import Findings
from control_units.importers.json_text import write


class Launches:
    """The association of each node, by the node's id.

    A unit server belongs to at most one agent: a second association is a problem. One whose
    node the file does not have stays a property of its agent.
    """

    def __init__(
        self, agents: Iterable[StatedAgent], nodes: Iterable[str], findings: Findings
    ) -> None:
        self._findings = findings
        self._by_node: dict[str, Association] = {}
        known = set(nodes)
        for agent in agents:
            for association in agent.associations:
                first = self._by_node.get(association.node)
                if association.node not in known:
                    self._keep(agent, association)
                elif first is None:
                    self._by_node[association.node] = association
                else:
                    self._refuse(association, first)

    def _keep(self, agent: StatedAgent, association: Association) -> None:
        """Nobody else can: what would be launched is not in the file."""
        name = f"andk_node_associated.{association.node}"
        agent.agent.properties[name] = write(association.entry.whole())
        self._findings.note(
            association.place,
            f"launches {association.node!r}, which is not in the file; it is kept as a property "
            "of the agent",
        )

    def _refuse(self, association: Association, first: Association) -> None:
        self._findings.problem(
            association.place,
            f"one agent for it; the first is {first.place}",
            value=association.node,
            name=association.agent,
            field="launch.agent",
        )

    def server_item(self, stated: StatedServer) -> BundleItem:
        """A unit server with its launch."""
        server = stated.server
        node = server.name.partition("/")[2]
        association = self._by_node.get(node)
        if association is not None:
            server.launch.CopyFrom(association.launch)
            server.properties.update(association.properties)
        if stated.parent and (
            association is None or association.agent != f"agents/{stated.parent}"
        ):
            server.properties["ndk_parent"] = write(stated.parent)
        return BundleItem(source=stated.place, unit_server=server)

    def program_item(self, program: StatedProgram, hosts: Iterable[str]) -> BundleItem:
        """An execution unit with its host: the agent that launches it, else the parent that it
        names, where the file has one.

        Args:
            hosts: names of all that may host, with their collections.
        """
        node = program.unit.name.partition("/")[2]
        association = self._by_node.get(node)
        properties: dict[str, str] = {}
        if association is not None:
            host = association.agent
            properties.update(association.launched_properties())
        else:
            candidates = (f"agents/{program.parent}", f"unit_servers/{program.parent}")
            host = next((name for name in candidates if name in set(hosts)), "")
        if program.parent and host.partition("/")[2] != program.parent:
            properties["ndk_parent"] = write(program.parent)
        return execution_unit(program.unit, host, properties)
