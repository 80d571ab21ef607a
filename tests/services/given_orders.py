"""Orders to units without processes: a test says where each has come to, and looks at the steps."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Operation, Order, Phase
from metadata_server.domain.orchestration.operation_step import Step
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.intent.resources import Resources
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.services.orchestration.steering import Steering
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.orchestration.operation_steps import set_steps, steps_of
from metadata_server.store.orchestration.operations import get_operation, release_operations
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.waiting import until
from tests.store.planned import Plan, Unit, build

SHIFT = Caller(principal=Principal("shift"), method="Operations.CreateOperation", reason="a shift")
LATER = Caller(principal=Principal("later"), method="Operations.CreateOperation", reason="work")


class GivenOrders:
    """Gives orders, and says what units do of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.resources = Resources(store)
        self.operations = Operations(store, on_due=lambda: None)
        self.steering = Steering(store, on_due=lambda: None)

    async def given(
        self, verb: Verb, *units: str, caller: Caller = SHIFT, wait: bool = False, **order: Any
    ) -> Operation:
        wanted = Order(verb=verb, selection=UnitSelection(ids=units), even_so=True, **order)
        return (await self.operations.create(caller, wanted, Giving(wait=wait))).value

    async def change(self, id: str, *, caller: Caller = LATER, **fields: Any) -> None:
        """A person edits a unit, beside any operation."""
        await self.resources.update(
            caller,
            ControlUnit,
            id,
            etag="*",
            change=lambda unit: replace(unit, **fields),
            validate_only=False,
        )

    async def declared(self, id: str) -> ControlUnit:
        return (await self.resources.get(ControlUnit, id)).value

    async def report(self, id: str, state: State) -> None:
        """A unit has acted on all that it was told, and says where it is now."""

        def say(unit: UnitOfWork) -> None:
            declared = unit.resources.get(ControlUnit, id)
            key = unit.keys.key_of(Kind.CONTROL_UNIT, id)
            before = statuses_of(unit, [key], lock=True)[key]
            now = replace(
                before,
                state=state,
                reached_generation=declared.meta.generation,
                reached_recover_count=declared.recover_count,
                sequence=before.sequence + 1,
            )
            save_statuses(unit, [now])

        await self.store.transact(say)

    async def now(self, operation: Operation) -> Operation:
        return (await self.store.read(lambda unit: get_operation(unit, operation.id))).value

    async def steps(self, operation: Operation) -> dict[str, Step]:
        """By unit; steps back after a `<`."""
        steps = (await self.store.read(lambda unit: steps_of(unit, operation.key))).value
        return {f"{each.id}{'<' if each.is_way_back else ''}": each for each in steps}

    async def told(self, operation: Operation) -> dict[str, tuple[str, str]]:
        steps = await self.steps(operation)
        return {id: (each.state.value, str(each.minor_state)) for id, each in steps.items()}

    async def comes_to(self, operation: Operation, id: str, *state: str) -> Step:
        """The step, once it is in a state, or in a minor state."""

        async def there() -> Step | None:
            step = (await self.steps(operation)).get(id)
            is_there = step is not None and {*state} <= {step.state, step.minor_state}
            return step if is_there else None

        found = await until(there, within=20, what=f"{id} to be {state}")
        assert found is not None
        return found

    async def reaches(self, operation: Operation, *phases: Phase) -> Operation:
        async def there() -> Operation | None:
            now = await self.now(operation)
            return now if now.phase in phases else None

        found = await until(there, within=20, what=f"{operation.name} to be {phases}")
        assert found is not None
        return found

    async def tried_again_now(self, operation: Operation) -> None:
        """Its replica has died, and it is time for the next try of its steps."""
        now, steps = await self.now(operation), await self.steps(operation)
        positions = [each.position for each in steps.values()]

        def pass_time(unit: UnitOfWork) -> None:
            was = (StepState.EXECUTING,)
            set_steps(unit, operation.key, positions, was=was, deadline_us=1)
            release_operations(unit, [(now.key, now.fence)])

        await self.store.transact(pass_time)


async def given_orders(store: Store, levels: Mapping[str, int]) -> GivenOrders:
    """On a facility of one unit server, whose units are stopped.

    Args:
        levels: of the units, by id.
    """
    units = [Unit(id, "US", State.STOPPED, State.STOPPED, Contact.ALIVE) for id in levels]
    build(store, Plan({"US": Contact.ALIVE}, units))
    orders = GivenOrders(store)
    for id, level in levels.items():
        if level:
            await orders.change(id, level=level)
    return orders
