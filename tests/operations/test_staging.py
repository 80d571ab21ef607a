"""Orders that a guard forbids: refused, or staged until the mode of the machine allows them."""

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.edit_pb2 import FieldEdit
from mds.v1.guard_pb2 import CreateGuardRequest, DeleteGuardRequest, Guard, GuardedChange
from mds.v1.machine_mode_pb2 import (
    CreateMachineModeRequest,
    MachineMode,
    UpdateMachineModeRequest,
)
from mds.v1.operation_pb2 import (
    AbortOperationRequest,
    Operation,
    OrderVerb,
    PauseOperationRequest,
    PlanOperationRequest,
    ResumeOperationRequest,
)

from tests.operations.section import START, PowerSupply, Section, phase, some, unit
from tests.stages.waiting import until

EDIT = OrderVerb.ORDER_VERB_EDIT
MACHINE = "machine_modes/LAB"
WHY = "guards/beam forbids it while machine_modes/LAB is BEAM until it is ACCESS (stored beam)"


async def guard(section: Section, *forbids: str, mode: str = "BEAM") -> None:
    """Guards the laboratory in BEAM."""
    machine = MachineMode(name=MACHINE, mode=mode, modes=["ACCESS", "BEAM"])
    create = CreateMachineModeRequest(machine_mode=machine)
    await section.client.machine_modes.CreateMachineMode(create)
    wanted = Guard(
        name="guards/beam",
        description="stored beam",
        machine_mode=MACHINE,
        modes=["BEAM"],
        forbids=[GuardedChange.Value(f"GUARDED_CHANGE_{each}") for each in forbids],
        id_prefixes=["LAB/"],
    )
    await section.client.guards.CreateGuard(CreateGuardRequest(guard=wanted))


async def turn(section: Section, mode: str) -> None:
    request = UpdateMachineModeRequest(
        machine_mode=MachineMode(name=MACHINE, mode=mode, etag="*"),
        update_mask=FieldMask(paths=["mode"]),
    )
    await section.client.machine_modes.UpdateMachineMode(request)


async def is_parked(section: Section, operation: Operation) -> None:
    """No replica carries the operation on any more."""

    async def it_is() -> bool:
        now = await section.get(operation.name)
        return phase(now) == "HELD" and now.HasField("sign_of_life_time") and not now.replica

    await until(it_is, what=f"{operation.name} to wait")


async def test_what_is_forbidden_is_blocked_and_the_plan_says_by_which_guard(
    section: Section,
) -> None:
    await section.declare(*some(1), unit("LAB/2", level=1))
    await guard(section, "ORDERS")
    order = Operation(verb=START)
    order.selection.id_prefixes.append("LAB/")
    plan = await section.client.operations.PlanOperation(PlanOperationRequest(operation=order))
    assert {each.control_unit: each.why for each in plan.blocked} == {
        "control_units/LAB/1": WHY,
        "control_units/LAB/2": WHY,
    }
    assert not plan.steps
    ended = await section.ended(await section.order(START))
    assert set((await section.told(ended)).values()) == {("SKIPPED", "Blocked")}


async def test_a_staged_order_waits_for_the_mode_and_goes_on_by_itself(section: Section) -> None:
    await section.declare(*some(2))
    await guard(section, "ORDERS")
    async with section.hosted():
        order = await section.order(START, stage=True)
        assert (phase(order), order.minor_state) == ("HELD", "WaitingForMode")
        assert order.message == f"LAB/1: {WHY}"
        await is_parked(section, order)
        assert set((await section.told(order)).values()) == {("PENDING", "Held")}
        assert not PowerSupply.started
        await turn(section, "ACCESS")
        ended = await section.ended(order)
        assert (phase(ended), ended.counts.completed) == ("COMPLETED", 2), ended.message
        assert set((await section.states()).values()) == {"RUNNING"}


async def test_a_staged_order_goes_on_when_its_guard_goes(section: Section) -> None:
    await section.declare(*some(1))
    await guard(section, "EVERYTHING")
    async with section.hosted():
        order = await section.order(START, stage=True)
        await is_parked(section, order)
        await section.client.guards.DeleteGuard(DeleteGuardRequest(name="guards/beam", etag="*"))
        assert phase(await section.ended(order)) == "COMPLETED"


async def begun_before_the_beam(section: Section, *, stage: bool) -> Operation:
    """The mode is set while the first of two steps is under way, which then ends."""
    await guard(section, "ORDERS", mode="ACCESS")
    PowerSupply.waits.add("LAB/A")
    order = await section.order(START, stage=stage)
    await until(lambda: "LAB/A" in PowerSupply.started, what="LAB/A under way")
    await turn(section, "BEAM")
    PowerSupply.waits.clear()
    return order


async def test_a_mode_that_comes_in_between_holds_what_has_not_begun(section: Section) -> None:
    await section.declare(unit("LAB/A"), unit("LAB/B", level=1))
    async with section.hosted():
        order = await begun_before_the_beam(section, stage=True)
        await is_parked(section, order)
        told = await section.told(order)
        assert told == {"LAB/A": ("COMPLETED", "Reached"), "LAB/B": ("PENDING", "Held")}
        assert WHY in (await section.get(order.name)).message
        await turn(section, "ACCESS")
        assert phase(await section.ended(order)) == "COMPLETED"
        assert PowerSupply.started == ["LAB/A", "LAB/B"]


async def test_without_staging_what_is_forbidden_in_between_fails(section: Section) -> None:
    await section.declare(unit("LAB/A"), unit("LAB/B", level=1))
    async with section.hosted():
        ended = await section.ended(await begun_before_the_beam(section, stage=False))
        assert phase(ended) == "ERROR"
        assert (await section.told(ended))["LAB/B"] == ("ERROR", "Refused")
        assert WHY in ended.message


async def test_a_staged_edit_is_written_when_the_mode_allows_it(section: Section) -> None:
    await section.declare(*some(2))
    await guard(section, "OVERRIDES")
    edit = FieldEdit(path="overrides[current].maximum", value="50")
    order = await section.order(EDIT, stage=True, edits=[edit])
    assert phase(order) == "HELD"
    assert WHY in order.message
    await is_parked(section, order)
    assert not (await section.declared("LAB/1")).overrides
    await turn(section, "ACCESS")
    assert phase(await section.ended(order)) == "COMPLETED"
    for id in ("LAB/1", "LAB/2"):
        (override,) = (await section.declared(id)).overrides
        assert override.maximum == "50"


async def test_a_held_order_can_be_paused_and_aborted(section: Section) -> None:
    await section.declare(*some(1))
    await guard(section, "ORDERS")
    operations = section.client.operations
    order = await section.order(START, stage=True)
    await is_parked(section, order)
    paused = await operations.PauseOperation(PauseOperationRequest(name=order.name))
    assert (phase(paused), paused.message) == ("SUSPENDED", "")
    await turn(section, "ACCESS")
    await turn(section, "BEAM")
    await operations.ResumeOperation(ResumeOperationRequest(name=order.name))
    assert WHY in (await section.reaches(order, "HELD")).message
    await operations.AbortOperation(AbortOperationRequest(name=order.name))
    ended = await section.ended(order)
    assert (phase(ended), ended.minor_state) == ("ABORTED", "AbortedByPerson")
    assert await section.told(ended) == {"LAB/1": ("ABORTED", "AbortedByPerson")}
