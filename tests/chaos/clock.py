"""The clock of one process, set by a file: Debian's libfaketime, loaded before everything else.

Only the time of day is other; what measures durations goes on as it did, as after a real step.
"""

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
SEEN_AFTER_S = 1.0
"""The process looks for a step this often."""
SHARED = Path("/dev/shm")
"""Where the library keeps two files for each process, which it removes unless the process is killed."""
_KEPT = re.compile(r"(?:faketime_shm_|sem\.faketime_sem_)(\d+)")


class Clock:
    """
    Args:
        service: whose clock.
        file: what its process reads.
    """

    def __init__(self, service: str, file: Path) -> None:
        self.service = service
        self._file = file
        self._since = time.time()

    @property
    def environment(self) -> Mapping[str, str]:
        """Of its process; nothing where the library is not installed."""
        if not LIBRARY.exists():
            return {}
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, offset_s: int) -> None:
        """It shows that much more than it is."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset_s:+d}\n")
        fresh.replace(self._file)  # never half written

    def clear(self) -> None:
        """Removes what the library has kept for processes that have ended: those that were begun
        since this clock was made, by whoever runs it."""
        for each in SHARED.iterdir():
            kept = _KEPT.fullmatch(each.name)
            if kept and not Path("/proc", kept[1]).exists() and self._is_ours(each):
                each.unlink(missing_ok=True)

    def _is_ours(self, file: Path) -> bool:
        try:
            told = file.stat()
        except FileNotFoundError:  # its process has removed it at its end
            return False
        return told.st_mtime >= self._since and told.st_uid == os.geteuid()
