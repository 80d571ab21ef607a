"""Roles, and what calls take of their callers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused


class Role(StrEnum):
    """What a caller may do: each may do all that those before it may."""

    VIEWER = "VIEWER"
    OPERATOR = "OPERATOR"
    EXPERT = "EXPERT"
    ADMIN = "ADMIN"

    def covers(self, needed: Role) -> bool:
        return LADDER.index(self) >= LADDER.index(needed)


LADDER = tuple(Role)

ROLE_OF_KIND = {Kind.POLICY: Role.ADMIN, Kind.WEBHOOK: Role.ADMIN}
"""What changing some kinds takes, by whatever call: a bundle or an undo may change any kind."""

OPERATED = {Kind.MACHINE_MODE: frozenset({"mode"})}
"""The fields that operators change of what experts declare, where one call changes all of them."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a call takes of its caller.

    Attributes:
        programs: a token for programs does as well, whatever its role.
    """

    role: Role
    programs: bool = False

    def permits(self, role: Role, *, program: bool) -> bool:
        """Whether a caller of a role may make the call; `program`: with a token for programs."""
        return role.covers(self.role) or (self.programs and program)


def check_fields(kind: Kind, name: str, changed: Iterable[str], role: Role) -> None:
    """Passes when somebody of a role may change fields of something that they may change at all.

    Raises:
        Refused: ROLE_REQUIRED.
    """
    if kind not in OPERATED or role.covers(Role.EXPERT):
        return
    for field in changed:
        if field not in OPERATED[kind]:
            raise role_required(f"A change of {field} of {name}", Role.EXPERT, role)


def role_required(what: str, needed: Role, had: Role, *, programs: bool = False) -> Refused:
    """That somebody's role does not do.

    Args:
        what: begins the sentence: `Undo of policies/night`.
        programs: a token for programs would do as well.
    """
    or_else = ", or a token for programs" if programs else ""
    return Refused.denied(
        "ROLE_REQUIRED",
        f"{what} takes the role {needed.lower()}{or_else}; yours is {had.lower()}.",
        needed=needed.lower(),
        had=had.lower(),
    )
