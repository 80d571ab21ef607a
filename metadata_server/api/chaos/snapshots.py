"""Snapshots: taken, read, set by hand, restored, deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mds.v1 import live_values_pb2, operation_pb2, snapshot_pb2

from metadata_server.api.chaos.call import Call
from metadata_server.api.chaos.command import Command, elsewhere
from metadata_server.api.chaos.descriptions import kept_properties
from metadata_server.api.chaos.orders import ANYWAY, GOES_ON, give, ordered
from metadata_server.api.chaos.parm import Parm, wrong
from metadata_server.api.chaos.reading import devices_of, id_of, selection_of
from metadata_server.api.chaos.searching import with_unit
from metadata_server.api.chaos.values import json_value, text_of, type_of
from metadata_server.api.chaos.words import CHANNELS, INPUT_SUFFIX
from metadata_server.api.rest.encoding import Json
from metadata_server.domain.names import Kind

ADDED = ("dpck_", "dsndk_", "cudk_", "ndk_")
"""What !CHAOS adds to each dataset: no attributes of the unit."""


def named(id: str) -> str:
    return Kind.SNAPSHOT.name_of(id)


async def read(call: Call, id: str) -> Any:
    return await call.ask("Snapshots.GetSnapshot", snapshot_pb2.GetSnapshotRequest(name=named(id)))


def dataset(saved: Any) -> dict[str, Json]:
    """What a snapshot has of one unit."""
    unit = saved.control_unit
    inputs = {"ndk_uid": unit, "dpck_ds_type": CHANNELS.index("input")}
    inputs |= {each.attribute: json_value(each.value, each.type) for each in saved.values}
    kept = kept_properties(saved)
    others = kept.get("input")
    if isinstance(others, dict):
        inputs = others | inputs
    listed = [{"cudk_ds_name": unit + INPUT_SUFFIX, "dataset_value": inputs}]
    return kept | {"name": unit, "input": inputs, "dataset_list": listed}


async def take(call: Call, id: str, units: Iterable[str]) -> None:
    request = live_values_pb2.TakeSnapshotRequest(name=named(id), selection=selection_of(units))
    await call.ask("LiveValues.TakeSnapshot", request)


async def create(call: Call) -> Json:
    units = call.parm.texts("node_list")
    if not units:
        raise wrong("node_list", "", "a list of ids of units")
    await take(call, call.parm.needed("name"), units)
    return units


async def load(call: Call) -> Json:
    found = await read(call, call.parm.needed("name"))
    wanted = call.parm.texts("node_list")
    return [dataset(each) for each in found.units if not wanted or each.control_unit in wanted]


async def delete(call: Call, id: str) -> None:
    request = snapshot_pb2.DeleteSnapshotRequest(name=named(id), etag=ANYWAY)
    await call.ask("Snapshots.DeleteSnapshot", request)


async def delete_named(call: Call) -> Json:
    await delete(call, call.parm.needed("name"))
    return []


async def restore(call: Call, id: str, units: Iterable[str] = ()) -> list[Json]:
    """Declares the values of a snapshot where they differ, in order, by an operation."""
    request = live_values_pb2.PlanRestoreRequest(name=named(id), selection=selection_of(units))
    plan = await call.ask("LiveValues.PlanRestore", request)
    if not plan.edits:
        return []
    operation = operation_pb2.Operation(verb=operation_pb2.ORDER_VERB_EDIT, unit_edits=plan.edits)
    told = await give(call, operation)
    left_out = {id_of(each.control_unit) for each in plan.left_out}
    if left_out:
        told = f"{told}; with values that are left out: {', '.join(sorted(left_out))}"
    return [ordered(id_of(each.name), told) for each in plan.edits]


async def restore_named(call: Call) -> Json:
    return await restore(call, call.parm.needed("name"), call.parm.texts("node_list"))


async def set_values(call: Call) -> Json:
    """Values of one unit, as its input dataset."""
    id = call.parm.needed("name")
    value = call.parm.object("value")
    inputs = value.get("input")
    unit = inputs.get("ndk_uid") if isinstance(inputs, dict) else None
    if not isinstance(inputs, dict) or not isinstance(unit, str) or not unit:
        raise wrong("value.input", inputs, "a dataset that names its unit in ndk_uid")
    found = {name: each for name, each in inputs.items() if not name.startswith(ADDED)}
    values = [
        snapshot_pb2.ValueToSet(
            control_unit=unit, attribute=name, value=text_of(each), type=type_of(each)
        )
        for name, each in found.items()
    ]
    saved = [
        snapshot_pb2.SavedValue(attribute=each.attribute, type=each.type, value=each.value)
        for each in values
    ]
    units = [snapshot_pb2.SavedUnit(control_unit=unit, values=saved)]
    snapshot = snapshot_pb2.Snapshot(name=named(id), units=units)
    create = snapshot_pb2.CreateSnapshotRequest(snapshot=snapshot)
    change = snapshot_pb2.SetSnapshotValuesRequest(name=named(id), values=values, etag=ANYWAY)
    await call.save(
        create=("Snapshots.CreateSnapshot", create), change=("Snapshots.SetSnapshotValues", change)
    )
    return {}


def parm_name(call: Call) -> str:
    """The snapshot that `parm` names, as it is or in an object."""
    text = call.form.parm.strip()
    id = Parm.of(text).text("snapname") if text.startswith("{") else text.strip('"')
    if not id:
        raise wrong("", text, "the name of a snapshot")
    return id


async def list_of_units(call: Call) -> Json:
    """The names of the snapshots of each unit."""
    return [[id_of(each.name) for each in await with_unit(call, id)] for id in devices_of(call)]


async def load_of_units(call: Call) -> Json:
    found = await read(call, parm_name(call))
    saved = {each.control_unit: dataset(each) for each in found.units}
    return [saved.get(id, {}) for id in devices_of(call)]


async def save_of_units(call: Call) -> Json:
    ids = devices_of(call)
    await take(call, parm_name(call), ids)
    return [{} for _ in ids]


async def restore_of_units(call: Call) -> Json:
    ids = devices_of(call)
    told = {each["ndk_uid"]: each for each in await restore(call, parm_name(call), ids)}
    return [told.get(id, ordered(id, "as it is declared already")) for id in ids]


async def delete_of_units(call: Call) -> Json:
    ids = devices_of(call)
    await delete(call, parm_name(call))
    return [{} for _ in ids]


AT = "/v1/snapshots/{id}"
RESTORE = f"POST {AT}:planRestore and POST /v1/operations"
ONLY_INPUTS = "of `value` only `input` is taken: snapshots are of set-points"
COMMANDS = (
    Command(cmd="snapshot", what="create", mutates=True, here=f"POST {AT}:take", run=create),
    Command(cmd="snapshot", what="load", here=f"GET {AT}", run=load),
    Command(
        cmd="snapshot",
        what="set",
        mutates=True,
        here=f"POST {AT}:setValues",
        note=ONLY_INPUTS,
        run=set_values,
    ),
    Command(
        cmd="snapshot", what="restore", mutates=True, here=RESTORE, note=GOES_ON, run=restore_named
    ),
    Command(cmd="snapshot", what="delete", mutates=True, here=f"DELETE {AT}", run=delete_named),
    *elsewhere("snapshot", "burst", "the archiver of your facility: bursts are data"),
    Command(
        cmd="list",
        of_units=True,
        here="GET /v1/snapshots",
        note="reads all snapshots",
        run=list_of_units,
    ),
    Command(cmd="load", of_units=True, with_parm=True, here=f"GET {AT}", run=load_of_units),
    Command(cmd="save", of_units=True, mutates=True, here=f"POST {AT}:take", run=save_of_units),
    Command(
        cmd="restore",
        of_units=True,
        mutates=True,
        here=RESTORE,
        note=GOES_ON,
        run=restore_of_units,
    ),
    Command(cmd="delete", of_units=True, mutates=True, here=f"DELETE {AT}", run=delete_of_units),
)
