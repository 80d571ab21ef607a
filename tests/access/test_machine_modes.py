"""Operators say which mode a machine is in; which modes there are is declared by experts."""

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.machine_mode_pb2 import (
    CreateMachineModeRequest,
    GetMachineModeRequest,
    MachineMode,
    UpdateMachineModeRequest,
)

from control_units.client import Client, Denied
from tests.access.conftest import Guarded

NAME = "machine_modes/RING"
DECLARED: dict[str, dict[str, Any]] = {
    "modes": {"modes": ["ACCESS", "BEAM", "OPEN"]},
    "modes,mode": {"modes": ["ACCESS", "OPEN"], "mode": "OPEN"},
    "description": {"description": "mine"},
    "labels": {"labels": {"a": "b"}},
    "properties": {"properties": {"a": "1"}},
}


async def change(
    client: Client, paths: str, *, validate_only: bool = False, **fields: Any
) -> MachineMode:
    request = UpdateMachineModeRequest(
        machine_mode=MachineMode(name=NAME, etag="*", **fields),
        update_mask=FieldMask(paths=paths.split(",")),
        reason="a test",
        validate_only=validate_only,
    )
    return await client.machine_modes.UpdateMachineMode(request)


async def test_an_operator_turns_a_machine_and_declares_nothing_of_it(guarded: Guarded) -> None:
    async with guarded.client("expert") as expert, guarded.client("operator") as operator:
        machine = MachineMode(name=NAME, mode="ACCESS", modes=["ACCESS", "BEAM"])
        create = CreateMachineModeRequest(machine_mode=machine)
        await expert.machine_modes.CreateMachineMode(create)
        assert (await change(operator, "mode", mode="BEAM")).mode == "BEAM"
        for paths, fields in DECLARED.items():
            for dry in (True, False):
                with pytest.raises(Denied) as refused:
                    await change(operator, paths, validate_only=dry, **fields)
                assert refused.value.reason == "ROLE_REQUIRED"
                assert refused.value.message == (
                    f"A change of {paths.partition(',')[0]} of {NAME} takes the role expert; "
                    "yours is operator."
                )
        there = await operator.machine_modes.GetMachineMode(GetMachineModeRequest(name=NAME))
        assert (there.mode, list(there.modes), there.description) == (
            "BEAM",
            ["ACCESS", "BEAM"],
            "",
        )
        # Whoever sends all of it, as a form does, and changes the mode alone, has changed the mode.
        there.mode, there.etag = "ACCESS", "*"
        everything = UpdateMachineModeRequest(
            machine_mode=there, update_mask=FieldMask(paths=["*"]), reason="a test"
        )
        assert (await operator.machine_modes.UpdateMachineMode(everything)).mode == "ACCESS"
        assert (await change(expert, "description", description="ours")).description == "ours"
