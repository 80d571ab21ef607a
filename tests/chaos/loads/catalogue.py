"""All loads, by name."""

from collections.abc import Callable, Mapping

from tests.chaos.loads import Load
from tests.chaos.loads.at_rest import AtRest
from tests.chaos.loads.boot_storm import BootStorm
from tests.chaos.loads.bulk_apply import BulkApply
from tests.chaos.loads.orders import Orders
from tests.chaos.loads.probed import ProbedLoad, Work
from tests.chaos.loads.rebase import Rebase

_WORKS: Mapping[str, tuple[Callable[[], Work], ...]] = {
    "idle": (AtRest,),
    "boot storm": (BootStorm,),
    "bulk apply": (BulkApply,),
    "rebase": (Rebase,),
    "operation": (Orders,),
    "mixed": (Orders, BulkApply, Rebase),
}
NAMES = tuple(_WORKS)
MATRIX = NAMES[:-1]
"""Those of the long form; `mixed` is for the short one."""


def make_load(name: str) -> Load:
    """A new load, for one round."""
    return ProbedLoad(name, *_WORKS[name])
