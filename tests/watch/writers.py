"""Writers that work against each other, and write down what they got acknowledged."""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable

from mds.v1.bundle_pb2 import ON_CONFLICT_REPLACE, BundleHeader, BundleItem
from mds.v1.control_unit_pb2 import ControlUnit, RenameControlUnitRequest
from mds.v1.state_pb2 import State
from mds.v1.variable_pb2 import Variable

from control_units.client import Client, ClientError
from tests.operations.section import Section
from tests.scenarios.plans import apply

TEMPLATE = "templates/lab::PowerSupply"
ZONES = ("A", "B")
PAUSE_S = (0.0, 0.05)
HOSTED = 4


class Writers:
    """Change units, names, bundles and desired states.

    Attributes:
        acknowledged: names by revision.
    """

    def __init__(self, section: Section, rng: random.Random) -> None:
        self.acknowledged: dict[int, set[str]] = defaultdict(set)
        self.section = section
        self._rng = rng
        self._units: set[str] = set()
        self._made = 0

    @property
    def _client(self) -> Client:
        return self.section.client

    def last(self) -> int:
        return max(self.acknowledged, default=0)

    async def set_up(self) -> None:
        """Units that are hosted, so that there are statuses."""
        units = [ControlUnit(name=f"control_units/LAB/{number}") for number in range(HOSTED)]
        await self.section.declare(*units)

    def _acknowledge(self, revision: int, *names: str) -> None:
        self.acknowledged[revision].update(names)

    def _pick(self) -> str | None:
        return self._rng.choice(sorted(self._units)) if self._units else None

    async def create(self) -> None:
        self._made += 1
        name = f"control_units/{self._rng.choice(ZONES)}/{self._made:05}"
        made = await self._client.control_units.create(
            ControlUnit(name=name, template=TEMPLATE), reason="a unit more"
        )
        self._acknowledge(made.revision, name)
        self._units.add(name)

    async def label(self) -> None:
        """Several do so to the same unit."""
        name, value = self._pick(), self._rng.choice(("yes", "no"))
        if name is None:
            return

        def edit(unit: ControlUnit) -> None:
            unit.labels["hot"] = value
            unit.description = f"{self._rng.random()}"

        id = name.partition("/")[2]
        changed = await self._client.control_units.change(id, edit, reason="hot or not")
        self._acknowledge(changed.revision, name)

    async def rename(self) -> None:
        name = self._pick()
        if name is None:
            return
        self._made += 1
        new = f"control_units/{self._rng.choice(ZONES)}/{self._made:05}"
        self._units.discard(name)
        renamed = await self._client.control_units.RenameControlUnit(
            RenameControlUnitRequest(name=name, new_name=new, etag="*", reason="it has moved")
        )
        self._acknowledge(renamed.revision, new)
        self._units.add(new)

    async def delete(self) -> None:
        name = self._pick()
        if name is None:
            return
        self._units.discard(name)
        await self._client.control_units.delete(name.partition("/")[2], etag="*", reason="gone")

    async def bundle(self) -> None:
        zone = self._rng.choice(ZONES)
        names = [f"variables/{zone}/{self._rng.randrange(20)}" for _ in range(6)]
        value = str(self._rng.random())
        items = [
            BundleItem(variable=Variable(name=name, value=value)) for name in dict.fromkeys(names)
        ]
        header = BundleHeader(on_conflict=ON_CONFLICT_REPLACE, reason="many at once")
        told = await apply(self._client, items, header)
        if told.summary.applied:
            self._acknowledge(told.summary.position.revision, *names)

    async def order(self) -> None:
        """Has units report other states."""
        state = self._rng.choice((State.STATE_RUNNING, State.STATE_STOPPED))
        id = f"LAB/{self._rng.randrange(HOSTED)}"

        def edit(unit: ControlUnit) -> None:
            unit.desired_state = state

        changed = await self._client.control_units.change(id, edit, reason="on and off")
        self._acknowledge(changed.revision, f"control_units/{id}")

    async def write(self) -> None:
        """Writes until it is cancelled; what is refused, or may not have arrived, does not count."""
        deeds: list[Callable[[], Awaitable[None]]] = [
            self.create, self.label, self.label, self.rename, self.delete, self.bundle, self.order
        ]  # fmt: skip
        while True:
            with contextlib.suppress(ClientError):
                await self._rng.choice(deeds)()
            await asyncio.sleep(self._rng.uniform(*PAUSE_S))

    @contextlib.asynccontextmanager
    async def at_work(self, count: int) -> AsyncGenerator[None, None]:
        """So many write at once; each finishes what it is at."""
        tasks = [asyncio.create_task(self.write()) for _ in range(count)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for each in ended:
            if isinstance(each, Exception):
                raise each
