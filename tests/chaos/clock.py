"""The clock of one process, set by a file: Debian's libfaketime, loaded before everything else.

Only the time of day is other; what measures durations goes on as it did, as after a real step.
"""

from collections.abc import Mapping
from pathlib import Path

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
SEEN_AFTER_S = 1.0
"""The process looks for a step this often."""


class Clock:
    """
    Args:
        service: whose clock.
        file: what its process reads.
    """

    def __init__(self, service: str, file: Path) -> None:
        self.service = service
        self._file = file

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
