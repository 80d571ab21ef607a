"""Programs that stand for unit servers: real processes that do one thing."""

import sys
from dataclasses import replace
from pathlib import Path

from control_units.agent.launching import UnitServerLaunch
from control_units.agent.pacing import Limits

QUICK = Limits(
    launch_interval_s=0.0,
    level_interval_s=0.0,
    look_again_s=0.02,
    first_pause_s=0.02,
    longest_pause_s=0.05,
    restarts=3,
    window_s=60.0,
    grace_s=10.0,
)
STAYS = "import time; print('here', flush=True); time.sleep(600)"
ENDS = "import sys; print('no hardware', flush=True); sys.exit(3)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('here', flush=True); time.sleep(600)"
)
HAS_A_CHILD = (
    "import subprocess, sys, time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print(child.pid, flush=True); time.sleep(600)"
)


def launch(program: str, *words: str, unit_server: str = "PS_0") -> UnitServerLaunch:
    """A unit server that starts by itself and runs a program in Python."""
    command = " ".join([sys.executable, "-c", f'"{program}"', *words])
    return UnitServerLaunch(unit_server, command, auto_start=True)


def kept_alive(of: UnitServerLaunch) -> UnitServerLaunch:
    return replace(of, keep_alive=True)


def is_running(pid: int) -> bool:
    """Whether a process runs, and is no mere entry that waits to be asked."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
