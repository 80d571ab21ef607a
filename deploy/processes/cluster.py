"""All services together: up in the order of what they need, and down without a trace."""

import asyncio
from collections.abc import Collection, Iterable
from pathlib import Path

from deploy.processes.container_process import ContainerProcess
from deploy.processes.images import Container
from deploy.processes.network import Network
from deploy.processes.one_at_a_time import OnlyOne
from deploy.processes.topology import Service

HEALTHY_WITHIN_S = 60.0
DONE_WITHIN_S = 180.0
"""What runs once is tried again from the beginning on: also while a database makes its first start."""
STARTED = "service_started"
"""Of a need: it is enough that it has been started."""


class Cluster:
    """
    Args:
        services: of one topology.
        folder: where volumes and logs are; nothing is kept anywhere else.
        only_one: what keeps a second cluster from coming up beside this one.
    """

    def __init__(
        self, services: Iterable[Service], folder: Path, only_one: OnlyOne | None = None
    ) -> None:
        self._services = {each.name: each for each in services}
        self._folder = folder
        self._only_one = only_one or OnlyOne()
        self.network = Network(self._services.values())
        self._processes = {
            name: ContainerProcess(Container(service, folder))
            for name, service in self._services.items()
        }
        self._started = {name: asyncio.Event() for name in self._services}
        self._met = {name: asyncio.Event() for name in self._services}

    def __getitem__(self, name: str) -> ContainerProcess:
        return self._processes[name]

    def address(self, name: str) -> str:
        return self._services[name].address

    async def up(self) -> None:
        """Returns when every service serves, or has done what it does once.

        Raises:
            Failed: another cluster runs on this machine.
            ExceptionGroup: of `Failed`: some do not.
        """
        self._only_one.take(self._folder)
        await asyncio.to_thread(self.network.up)
        async with asyncio.TaskGroup() as tasks:
            for service in self._services.values():
                tasks.create_task(self._bring(service), name=service.name)

    async def down(self) -> None:
        """Ends every process, those that need others first, and removes the network; but nothing
        when it was refused to come up, as what runs is another's."""
        if not self._only_one.is_held:
            return
        for names in reversed(layers(self._services.values())):
            await asyncio.gather(*(self._processes[name].stop() for name in names))
        await asyncio.to_thread(self.network.down)
        self._only_one.give_back()

    async def _bring(self, service: Service) -> None:
        for needed, condition in service.needs.items():
            if needed in self._met:
                is_enough = self._started if condition == STARTED else self._met
                await is_enough[needed].wait()
        process = self._processes[service.name]
        if service.runs_once:
            await process.run_once(within_s=DONE_WITHIN_S)
        else:
            await process.start()
            self._started[service.name].set()
            await process.until_healthy(within_s=HEALTHY_WITHIN_S)
        self._met[service.name].set()


def layers(services: Collection[Service]) -> list[list[str]]:
    """Names, such that each service needs only those of layers before its own."""
    left = {each.name: set(each.needs) & {one.name for one in services} for each in services}
    found: list[list[str]] = []
    while left:
        free = [name for name, needs in left.items() if not needs & left.keys()]
        assert free, f"these need each other: {', '.join(left)}"
        found.append(free)
        left = {name: needs for name, needs in left.items() if name not in free}
    return found
