"""Rows of tables are laid over units that were read before: whoever does so looks, in the plan, whether
these are still what it is about, and reads them again where they are not."""

from collections.abc import Collection, Mapping

from mds.v1.bundle_pb2 import ItemAction
from mds.v1.control_unit_pb2 import ControlUnit

from control_units.client.bundles import Outcome

TRIES = 3
"""So often units are read, where others change them between that and the plan."""


class Overtaken(Exception):
    """A row was laid over a unit that was another one when the plan was made.

    Attributes:
        name: of the first such unit.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has been changed since it was read.")
        self.name = name


def refuse_overtaken(
    outcome: Outcome, names: Collection[str], current: Mapping[str, ControlUnit]
) -> None:
    """Passes when a plan is about the units that rows were laid over.

    Args:
        names: of the units in tables.
        current: those of them that were there when they were read.

    Raises:
        Overtaken: one was changed, deleted or created since.
    """
    of_rows = set(names)
    for result in outcome.results:
        # Of what is refused no plan says what was there.
        if result.name not in of_rows or result.action == ItemAction.ITEM_ACTION_REJECTED:
            continue
        read = current.get(result.name)
        if result.etag != (read.etag if read is not None else ""):
            raise Overtaken(result.name)
