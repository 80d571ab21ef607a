"""All lists that there are."""

from typing import Any

from webui.lists.facility import (
    AGENTS,
    MAINTENANCES,
    POLICIES,
    SNAPSHOTS,
    TEMPLATES,
    UNIT_SERVERS,
)
from webui.lists.kind import ListKind
from webui.lists.records import CHANGES, OPERATIONS
from webui.lists.units import CONDITIONS, CONTROL_UNITS

KINDS: tuple[ListKind[Any], ...] = (
    CONTROL_UNITS,
    UNIT_SERVERS,
    AGENTS,
    TEMPLATES,
    OPERATIONS,
    SNAPSHOTS,
    CHANGES,
    CONDITIONS,
    MAINTENANCES,
    POLICIES,
)
