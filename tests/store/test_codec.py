"""Resources from what is stored, in many threads at once."""

import subprocess
import sys

FIRST_USE_IN_MANY_THREADS = """
import sys, threading
from dataclasses import make_dataclass
from metadata_server.store.codec import build

def type_of_its_own(number):
    inner = make_dataclass(f"Inner{number}", [(f"a{i}", int, 0) for i in range(30)])
    fields = [(f"b{i}", tuple[inner, ...], ()) for i in range(20)]
    return make_dataclass(f"Outer{number}", fields)

def use(barrier, type_, data):
    barrier.wait()
    build(type_, data)

sys.setswitchinterval(1e-6)
data = {f"b{i}": [{"a1": 1}] for i in range(20)}
for number in range(60):
    barrier, type_ = threading.Barrier(8), type_of_its_own(number)
    threads = [threading.Thread(target=use, args=(barrier, type_, data)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("done")
"""


def test_a_type_is_learnt_by_one_thread_while_others_wait() -> None:
    """Else the process ends by SIGSEGV; so it is one of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", FIRST_USE_IN_MANY_THREADS],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr
