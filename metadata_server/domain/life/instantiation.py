"""Lives of control units, as they are told."""

from __future__ import annotations

from dataclasses import dataclass

from metadata_server.domain.intent.control_unit import PassedState
from metadata_server.domain.life.session import EndReason, Session, is_session_id
from metadata_server.domain.refused import Refused

COLLECTION = "instantiations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instantiation:
    """One life of a control unit inside one run of its unit server.

    Attributes:
        control_unit: id that the unit has today, or had last.
        session: that it lived in.
        template: id.
        fingerprint: of the configuration that it last applied.
        states: oldest first, as far back as they are kept.
    """

    control_unit: str
    control_unit_key: int
    session: Session
    begin_time_us: int
    end_time_us: int | None
    end_reason: EndReason | None
    template: str
    template_version: int
    fingerprint: str
    states: tuple[PassedState, ...] = ()

    @property
    def name(self) -> str:
        return f"{COLLECTION}/{self.session.id}.{self.control_unit_key:x}"


@dataclass(frozen=True, slots=True)
class LifeKey:
    """Which life: its session, and the key of its unit."""

    session: str
    control_unit_key: int


def life_of_name(name: str) -> LifeKey:
    """The life of a resource name.

    Raises:
        Refused: INVALID_ID.
    """
    session, _, key = name.removeprefix(f"{COLLECTION}/").rpartition(".")
    try:
        number = int(key, 16)
    except ValueError:
        number = -1
    is_name = name.startswith(f"{COLLECTION}/") and is_session_id(session)
    if not is_name or not 0 <= number < 2**63:
        raise Refused.invalid(
            "INVALID_ID",
            f"name is {name[:80]!r}; right would be a name that ListInstantiations gave.",
            field="name",
            value=name[:255],
        )
    return LifeKey(session, number)
