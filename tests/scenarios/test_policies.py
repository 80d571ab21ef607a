"""A policy that wants reasons, whichever call changes what it is about."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1 import (
    bundle_pb2,
    control_unit_pb2,
    dataset_pb2,
    edit_pb2,
    history_pb2,
    policy_pb2,
    template_pb2,
    unit_server_pb2,
)

from control_units.client import Client, Refused
from tests.stages.replica import Replica

PUBLISHED, DRAFT = template_pb2.VERSION_STATE_PUBLISHED, template_pb2.VERSION_STATE_DRAFT
UNIT, TEMPLATE, SERVER = "control_units/Z/A", "templates/T", "unit_servers/Z"


def template(
    minimum: str, *, state: template_pb2.VersionState.ValueType = PUBLISHED
) -> template_pb2.Template:
    current = dataset_pb2.Attribute(
        name="current", direction=dataset_pb2.DIRECTION_INPUT, minimum=minimum
    )
    return template_pb2.Template(
        name=TEMPLATE,
        etag="*",
        implementation="T",
        attributes=[current],
        version_state=state,
    )


async def declare(client: Client) -> int:
    """A unit on version 1 of a template that has a version 2 and a draft, and at last a policy
    about everything; gives the revision of the unit's change."""
    reason = "to begin with"
    await client.templates.CreateTemplate(
        template_pb2.CreateTemplateRequest(template=template("0"), reason=reason)
    )
    server = unit_server_pb2.UnitServer(name=SERVER)
    await client.unit_servers.CreateUnitServer(
        unit_server_pb2.CreateUnitServerRequest(unit_server=server, reason=reason)
    )
    unit = control_unit_pb2.ControlUnit(name=UNIT, template=TEMPLATE, unit_server=SERVER)
    await client.control_units.CreateControlUnit(
        control_unit_pb2.CreateControlUnitRequest(control_unit=unit, reason=reason)
    )
    for state in (PUBLISHED, DRAFT):
        await client.templates.UpdateTemplate(
            template_pb2.UpdateTemplateRequest(
                template=template(str(-state), state=state),
                update_mask=FieldMask(paths=["attributes", "version_state"]),
                reason=reason,
            )
        )
    unit.description, unit.etag = "changed", "*"
    changed = await client.control_units.UpdateControlUnit(
        control_unit_pb2.UpdateControlUnitRequest(
            control_unit=unit, update_mask=FieldMask(paths=["description"]), reason=reason
        )
    )
    policy = policy_pb2.Policy(name="policies/all", requires_reason=True)
    await client.policies.CreatePolicy(policy_pb2.CreatePolicyRequest(policy=policy))
    return changed.revision


async def all_of(stream: Any) -> None:
    async for _ in stream:
        pass


async def chunks(**header: Any) -> AsyncIterator[bundle_pb2.ApplyRequest]:
    yield bundle_pb2.ApplyRequest(
        header=bundle_pb2.BundleHeader(on_conflict=bundle_pb2.ON_CONFLICT_REPLACE, **header)
    )
    server = unit_server_pb2.UnitServer(name=SERVER, description="other")
    yield bundle_pb2.ApplyRequest(items=[bundle_pb2.BundleItem(unit_server=server)], end=True)


def ways(client: Client, revision: int) -> dict[str, Callable[..., Awaitable[object]]]:
    """Every way to change something, each as a call that takes `reason` and `validate_only`."""
    units, templates = client.control_units, client.templates
    unit = control_unit_pb2.ControlUnit(name=UNIT, etag="*", description="other")
    fresh = control_unit_pb2.ControlUnit(name="control_units/Z/B", template=TEMPLATE)
    mask = FieldMask(paths=["description"])
    edit = edit_pb2.FieldEdit(path="description", value="other")
    every = edit_pb2.UnitSelection(zone="Z")
    star: dict[str, Any] = {"name": TEMPLATE, "etag": "*"}
    u, t, e, h = control_unit_pb2, template_pb2, edit_pb2, history_pb2
    return {
        "create": lambda **k: units.CreateControlUnit(
            u.CreateControlUnitRequest(control_unit=fresh, **k)
        ),
        "update": lambda **k: units.UpdateControlUnit(
            u.UpdateControlUnitRequest(control_unit=unit, update_mask=mask, **k)
        ),
        "delete": lambda **k: units.DeleteControlUnit(
            u.DeleteControlUnitRequest(name=UNIT, etag="*", **k)
        ),
        "rename": lambda **k: units.RenameControlUnit(
            u.RenameControlUnitRequest(name=UNIT, new_name="control_units/B", etag="*", **k)
        ),
        "copy": lambda **k: units.CopyControlUnit(
            u.CopyControlUnitRequest(name=UNIT, new_name="control_units/B", **k)
        ),
        "apply": lambda **k: all_of(client.bundles.Apply(chunks(**k))),
        "edit": lambda **k: all_of(
            client.edits.EditControlUnits(
                e.EditControlUnitsRequest(selection=every, edits=[edit], **k)
            )
        ),
        "rebase": lambda **k: all_of(
            client.edits.RebaseControlUnits(
                e.RebaseControlUnitsRequest(template=TEMPLATE, to_version=2, **k)
            )
        ),
        "publish": lambda **k: templates.PublishTemplateVersion(
            t.PublishTemplateVersionRequest(**star, **k)
        ),
        "deprecate": lambda **k: templates.DeprecateTemplateVersion(
            t.DeprecateTemplateVersionRequest(version=1, **star, **k)
        ),
        "discard": lambda **k: templates.DiscardTemplateDraft(
            t.DiscardTemplateDraftRequest(**star, **k)
        ),
        "revert": lambda **k: client.history.Revert(
            h.RevertRequest(name=UNIT, as_of=str(revision - 1), etag="*", **k)
        ),
        "undo": lambda **k: client.history.Undo(h.UndoRequest(name=f"change_sets/{revision}", **k)),
        "undo of a draft": lambda **k: client.history.Undo(
            h.UndoRequest(name=f"change_sets/{revision - 1}", **k)
        ),
    }


async def policy_asking(change: Awaitable[object]) -> str:
    """The policy that refuses a change; empty: none does."""
    try:
        await change
    except Refused as refused:
        if refused.reason != "REASON_REQUIRED":
            raise
        return refused.metadata["policy"]
    return ""


async def test_no_way_of_changing_things_goes_without_a_reason(replica: Replica) -> None:
    async with Client(replica.address) as client:
        revision = await declare(client)
        silent = [
            (name, validate_only)
            for name, call in ways(client, revision).items()
            for validate_only in (True, False)
            if await policy_asking(call(reason="  ", validate_only=validate_only)) != "policies/all"
        ]
        assert silent == []
        for name, call in ways(client, revision).items():
            await call(reason=f"a test of {name}", validate_only=True)
        unit = await client.control_units.GetControlUnit(
            control_unit_pb2.GetControlUnitRequest(name=UNIT)
        )
        assert unit.revision == revision
