"""An `mds` for the scripts of shells, born with its modules loaded (see `nursery`).

What a script finds in its PATH is a small program. It hands its arguments, environment, folder
and open files over a socket, passes signals on, and ends as that one ends for which it stands.
"""

import json
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from pathlib import Path

from tests.stages.nursery import BIRTH_TIMEOUT_S, NURSERY, be_mds
from tests.stages.waiting import PAUSE_S

_LOOK_S = 2.0
"""Between two looks whether the process that wants it is there."""
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_STAND_IN = """\
#!{python} -IS
import json, os, signal, socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect({path!r})
ignored = [each for each in {signals} if signal.getsignal(each) is signal.SIG_IGN]
body = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd(), ignored]).encode()
socket.send_fds(asked, [len(body).to_bytes(4, "big")], [0, 1, 2])
asked.sendall(body)
for number in set({signals}) - set(ignored):
    signal.signal(number, lambda number, _: asked.send(bytes([number])))
status = int(asked.recv(16) or 1)
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


@contextmanager
def warm_mds() -> Iterator[Path]:
    """Folder for the head of a PATH, with that `mds`."""
    with tempfile.TemporaryDirectory(prefix="mds-warm-") as name:
        folder = Path(name)
        path = str(folder / "socket")
        attendant = NURSERY.Process(target=_serve, args=(path,))
        attendant.start()
        try:
            deadline = time.monotonic() + BIRTH_TIMEOUT_S
            while not Path(path).exists():
                assert time.monotonic() < deadline, "nobody listens for warm programs"
                time.sleep(PAUSE_S)
            program = folder / "mds"
            signals = [int(each) for each in _PASSED_ON]
            program.write_text(_STAND_IN.format(python=sys.executable, path=path, signals=signals))
            program.chmod(0o700)
            yield folder
        finally:
            attendant.terminate()
            attendant.join()


def _serve(path: str) -> None:
    """Bears programs until the fork server ends, as it does with the process that wanted this."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{path}.early")
    listening.listen(64)
    listening.settimeout(_LOOK_S)
    os.rename(f"{path}.early", path)
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            asked, _ = listening.accept()
        except TimeoutError:
            continue
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with suppress(BrokenPipeError):  # killed: nobody asks how it ended
                _attend(asked)
            os._exit(0)
        asked.close()


def _attend(asked: socket.socket) -> None:
    """Bears one program, hands signals to it, and tells its end."""
    size, files, _, _ = socket.recv_fds(asked, 4, 3)
    with asked.makefile("rb") as stream:
        born_with = json.loads(stream.read(int.from_bytes(size, "big")))
    program = multiprocessing.get_context("fork").Process(target=_be_warm, args=(files, *born_with))
    program.start()
    for each in files:
        os.close(each)
    while program.sentinel not in wait([asked, program.sentinel]):
        # Where nothing comes, nobody stands in for it any more: killed.
        os.kill(program.pid or 0, (asked.recv(1) or bytes([signal.SIGKILL]))[0])
    program.join()
    asked.sendall(str(program.exitcode).encode())


def _be_warm(
    files: list[int],
    arguments: list[str],
    environment: dict[str, str],
    folder: str,
    ignored: list[int],
) -> None:
    for number, opened in enumerate(files):
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for each in ignored:
        signal.signal(each, signal.SIG_IGN)
    be_mds(arguments, environment)
