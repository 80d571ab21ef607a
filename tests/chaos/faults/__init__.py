"""What is broken on purpose: each fault is put in, held, and healed."""

from collections.abc import Sequence
from functools import partial

from deploy.processes.network import MACHINE
from tests.chaos.clock import LIBRARY
from tests.chaos.faults.clocks import stepped
from tests.chaos.faults.disks import full_database, full_log
from tests.chaos.faults.fault import Fault
from tests.chaos.faults.migrations import killed_migration
from tests.chaos.faults.networks import cut, cut_writer, no_database, slow_database
from tests.chaos.faults.processes import killed, nothing, paused
from tests.chaos.stage import BALANCER, REPLICAS, STAND_BY, WEB_UIS, WRITER

CALLS = 7400
_HOUR_S = 3600
_NO_CLOCK = "" if LIBRARY.exists() else "apt-get install libfaketime"

FAULTS: Sequence[Fault] = (
    Fault("nothing", nothing, breaks=False),
    Fault("replica killed", partial(killed, service=REPLICAS[0]), kills=True),
    Fault("replica stopped", partial(paused, service=REPLICAS[0])),
    Fault("page killed", partial(killed, service=WEB_UIS[0]), kills=True),
    Fault("page stopped", partial(paused, service=WEB_UIS[0])),
    Fault("balancer killed", partial(killed, service=BALANCER, comes_back=True), kills=True),
    Fault("balancer stopped", partial(paused, service=BALANCER), hold_s=5.0),
    Fault("writer killed", partial(killed, service=WRITER), kills=True),
    Fault("writer stopped", partial(paused, service=WRITER)),
    Fault("stand-by killed", partial(killed, service=STAND_BY), kills=True),
    Fault("stand-by stopped", partial(paused, service=STAND_BY)),
    Fault(
        "clients cut from balancer",
        partial(cut, one=MACHINE, other=BALANCER, port=CALLS),
        hold_s=5.0,
    ),
    Fault("replica cut from balancer", partial(cut, one=BALANCER, other=REPLICAS[1], port=CALLS)),
    Fault("replica cut from database", partial(no_database, service=REPLICAS[1])),
    Fault("writer cut from the others", cut_writer),
    Fault("slow database", slow_database, hold_s=12.0),
    Fault("clock +1 h", partial(stepped, step_s=_HOUR_S), missing=_NO_CLOCK, needs_clock=True),
    Fault("clock -1 h", partial(stepped, step_s=-_HOUR_S), missing=_NO_CLOCK, needs_clock=True),
    Fault("disk of writer full", full_database, hold_s=12.0),
    Fault("disk of replica full", full_log),
    Fault("migration killed", killed_migration, hold_s=0.0),
)
"""All of them, in the order of the report."""

SHORT = ("replica killed", "writer killed", "writer cut from the others", "balancer stopped")
"""What every change has to stand."""

# A database node that has met a full disk, and migrations, are for rounds of their own.
SOAK = tuple(
    each.name
    for each in FAULTS
    if each.name not in ("nothing", "disk of writer full", "migration killed")
)
"""One after the other, for hours."""
