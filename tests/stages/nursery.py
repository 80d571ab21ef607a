"""`mds …` programs that are born with their modules loaded.

Loading them is most of what a start costs (2 s of CPU for a replica), and tests start hundreds. A
fork server of the standard library loads them once; each program is forked from it: a process of
its own, at the head of its own group, with its own environment, which runs what `mds` runs.
"""

import contextlib
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

BIN = Path(sys.executable).parent
MDS = str(BIN / "mds")
BIRTH_TIMEOUT_S = 30.0
STARTED_MDS = "STARTED_MDS"
"""In the environment of an `mds run`: the `mds` that it starts, instead of the installed one."""
_LOADED = (
    "control_units.agent.daemon",
    "control_units.cli.orders.commands",
    "control_units.cli.transfer.commands",
    "control_units.local_facility.facility",
    "metadata_server.commands",
    "metadata_server.server",
    "pymysql",
    "uvloop",
    "webui.commands",
    # The last: it keeps what the others have made.
    "tests.stages.warmth",
)
NURSERY = multiprocessing.get_context("forkserver")
NURSERY.set_forkserver_preload(list(_LOADED))


class Newborn:
    """One such program. As much of `subprocess.Popen` as tests use.

    Args:
        arguments: those of `mds`.
        environment: all of it.
        stdin, stdout, stderr: files; what is written is added to their ends.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdin: str = os.devnull,
        stdout: str,
        stderr: str,
    ) -> None:
        born, giving = NURSERY.Pipe(duplex=False)
        files = (stdin, stdout, stderr)
        self._process = NURSERY.Process(
            target=_be_newborn, args=(list(arguments), dict(environment), files, giving)
        )
        self._process.start()
        giving.close()
        with born:
            # Before it leads its group, nobody could send the group a signal.
            if not born.poll(BIRTH_TIMEOUT_S):
                raise AssertionError(f"mds {' '.join(arguments)} was not born")
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """None until its end has been seen; -N when signal N ended it."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if (status := self.returncode) is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0)
        return status

    def clear(self) -> None:
        """Ends it at once, with all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait(10)


def _be_newborn(
    arguments: list[str],
    environment: dict[str, str],
    files: tuple[str, str, str],
    giving: Connection,
) -> None:
    os.setsid()
    for number, path in enumerate(files):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_APPEND | os.O_CREAT
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    giving.close()
    # A fork server whose parent ignored it, as in the background, would hand that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    be_mds(arguments, environment)


def be_mds(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Is `mds` from here on, in a process of the nursery whose files 0, 1 and 2 are set."""
    standard_input = io.FileIO(0, closefd=False)
    standard_input.name = "<stdin>"
    sys.stdin = io.TextIOWrapper(io.BufferedReader(standard_input))
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = [MDS, *arguments]
    from control_units.cli import main

    if started := environment.get(STARTED_MDS):
        from control_units.local_facility import child

        child.mds_command = lambda: [started]
    main()
