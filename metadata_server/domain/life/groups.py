"""What control units can be grouped by, and the groups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from metadata_server.domain.change import Position
from metadata_server.domain.life.overview import ZoneSummary
from metadata_server.domain.refused import Refused, WrongField

LABEL = "label."


class Common(StrEnum):
    """What units may have in common."""

    ZONE = "zone"
    UNIT_SERVER = "unit_server"
    TEMPLATE = "template"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Grouping:
    """
    Attributes:
        label: name of the label, where that is what they have in common.
    """

    common: Common
    label: str = ""


@dataclass(frozen=True, slots=True)
class Groups:
    """All groups as of one position, worst first, then by name."""

    position: Position
    time_us: int
    groups: tuple[ZoneSummary, ...]


def grouping_of(text: str) -> Grouping:
    """
    Raises:
        Refused: INVALID_FIELD.
    """
    label = text.removeprefix(LABEL)
    if text.startswith(LABEL) and label and not {'"', "\\"} & set(label):
        return Grouping(Common.LABEL, label)
    plain = [each for each in Common if each is not Common.LABEL]
    if (text or Common.ZONE) in plain:
        return Grouping(Common(text or Common.ZONE))
    expected = "zone, unit_server, template, or a label like label.section"
    raise Refused.wrong_fields([WrongField("by", text, expected)])
