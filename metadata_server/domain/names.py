"""Kinds of resources, their collections, and the rules of ids."""

from __future__ import annotations

import re
from enum import StrEnum

from metadata_server.domain.refused import Refused, shown

MAXIMUM_ID_BYTES = 255
SEGMENT = re.compile(r"[A-Za-z0-9_.:+-]+\Z")
BEGINS_AN_ID = re.compile(r"[A-Za-z0-9_.:+/-]*\Z")


def plural(word: str) -> str:
    """Of a kind's word: `policies`, `control_unit_statuses`, `agents`."""
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


class Kind(StrEnum):
    """A kind of resource; its value is its word in tables and messages."""

    TEMPLATE = "template"
    UNIT_SERVER = "unit_server"
    CONTROL_UNIT = "control_unit"
    AGENT = "agent"
    EXECUTION_UNIT = "execution_unit"
    VARIABLE = "variable"
    SCRIPT = "script"
    SNAPSHOT = "snapshot"
    POLICY = "policy"
    MAINTENANCE = "maintenance"
    MACHINE_MODE = "machine_mode"
    GUARD = "guard"
    UNIT_LIST = "unit_list"
    CAMPAIGN = "campaign"
    WEBHOOK = "webhook"
    CONTROL_UNIT_STATUS = "control_unit_status"
    UNIT_SERVER_STATUS = "unit_server_status"
    OPERATION = "operation"

    collection: str
    """First segment of a resource name: `control_units`."""

    def __init__(self, word: str) -> None:
        self.collection = plural(word)

    @property
    def words(self) -> str:
        """As people say it: `control unit`."""
        return self.value.replace("_", " ")

    @property
    def not_found(self) -> str:
        """Reason of the refusal when there is none of that id."""
        owner = self.value.removesuffix("_status")
        return f"{owner.upper()}_NOT_FOUND"

    def name_of(self, id: str) -> str:
        return f"{self.collection}/{id}"

    def id_of(self, name: str, *, field: str = "name") -> str:
        """The id in a resource name of this kind.

        Raises:
            Refused: INVALID_ID, when the name is not `{collection}/{id}` with a good id.
        """
        prefix = f"{self.collection}/"
        if not name.startswith(prefix):
            raise Refused.invalid(
                "INVALID_ID",
                f"{field} is {shown(name)}; right would be {prefix}{{id}}.",
                field=field,
                value=name[:MAXIMUM_ID_BYTES],
            )
        return check_id(name.removeprefix(prefix), field=field)


DECLARED = (
    Kind.TEMPLATE,
    Kind.AGENT,
    Kind.UNIT_SERVER,
    Kind.SCRIPT,
    Kind.CONTROL_UNIT,
    Kind.EXECUTION_UNIT,
    Kind.VARIABLE,
    Kind.SNAPSHOT,
    Kind.POLICY,
    Kind.MAINTENANCE,
    Kind.MACHINE_MODE,
    Kind.GUARD,
    Kind.UNIT_LIST,
    Kind.CAMPAIGN,
    Kind.WEBHOOK,
)
"""Kinds that people declare, in an order in which each comes after what it refers to."""


def named(name: str, *, field: str = "name") -> tuple[Kind, str]:
    """Kind and id of the name of a resource that people declare.

    Raises:
        Refused: INVALID_ID.
    """
    collection = name.partition("/")[0]
    for kind in DECLARED:
        if kind.collection == collection:
            return kind, kind.id_of(name, field=field)
    collections = ", ".join(kind.collection for kind in DECLARED)
    raise Refused.invalid(
        "INVALID_ID",
        f"{field} is {shown(name)}; right would be {{collection}}/{{id}}, with one of the "
        f"collections {collections}.",
        field=field,
        value=name[:MAXIMUM_ID_BYTES],
    )


def id_fault(id: str) -> str | None:
    """What would be right instead of this id; None: it is right."""
    if not id:
        return "an id that is not empty"
    size = len(id.encode())
    if size > MAXIMUM_ID_BYTES:
        return f"an id of at most {MAXIMUM_ID_BYTES} bytes, not {size}"
    for segment in id.split("/"):
        if segment in {"", ".", ".."}:
            return "segments between slashes that are not empty, '.' or '..'"
        if not SEGMENT.match(segment):
            return "segments of letters, digits and _ . : + - between slashes"
    return None


def check_id(id: str, *, field: str = "name") -> str:
    """The id itself.

    Raises:
        Refused: INVALID_ID, naming the field, the value and what would be right.
    """
    fault = id_fault(id)
    if fault is not None:
        raise Refused.invalid(
            "INVALID_ID",
            f"{field} has the id {shown(id)}; right would be {fault}.",
            field=field,
            value=id[:MAXIMUM_ID_BYTES],
        )
    return id


def zone_of(id: str) -> str:
    """First segment of an id that has a slash; empty for others."""
    zone, slash, _ = id.partition("/")
    return zone if slash else ""
