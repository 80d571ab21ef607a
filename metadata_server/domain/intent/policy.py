"""Which changes need a reason: what policies say of the resources that a change touches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Policy
from metadata_server.domain.intent.template import Template
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource

SHOWN = 3


@dataclass(frozen=True, slots=True, order=True)
class Touched:
    """What policies ask of a resource, as it was before a change or is after it.

    Attributes:
        template: id of a control unit's template; of a template its own.
    """

    kind: Kind
    id: str
    template: str = ""

    @property
    def name(self) -> str:
        return self.kind.name_of(self.id)


def touched(resource: Resource) -> Touched:
    template = ""
    if isinstance(resource, Template):
        template = resource.id
    elif isinstance(resource, ControlUnit):
        template = resource.template
    return Touched(resource.kind, resource.id, template)


def is_about(policy: Policy, each: Touched) -> bool:
    """Whether a resource passes all filters of a policy that are not empty."""
    return (
        (not policy.kinds or each.kind in policy.kinds)
        and each.id.startswith(policy.id_prefix)
        and (not policy.template or each.template == policy.template)
    )


def check_reason(reason: str, policies: Iterable[Policy], changed: Iterable[Touched]) -> None:
    """Passes when a reason is given, or no policy wants one for what is changed.

    Args:
        reason: one of blanks is none.
        changed: as it was before, and as it is after.

    Raises:
        Refused: REASON_REQUIRED, naming the policy and the first resources that it is about.
    """
    if reason.strip():
        return
    asking = sorted((p for p in policies if p.requires_reason), key=lambda p: p.id)
    everything = sorted(set(changed)) if asking else []
    for policy in asking:
        found = sorted({each.name for each in everything if is_about(policy, each)})
        if found:
            raise reason_required(policy, found)


def reason_required(policy: Policy, names: list[str]) -> Refused:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return Refused.invalid(
        "REASON_REQUIRED",
        f"reason is empty; right would be why {', '.join(names[:SHOWN])}{more} should change: "
        f"{policy.name} wants that said.",
        field="reason",
        policy=policy.name,
        name=names[0],
        count=len(names),
    )
