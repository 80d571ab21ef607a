"""One cluster a machine: two would have the same addresses, and the second would end the first."""

import fcntl
import os
import sys
import time
from pathlib import Path
from typing import IO

from deploy.processes.container_process import Failed

PLACE = Path("/run/mds-cluster.lock")


class OnlyOne:
    """Held until its process ends, however that ends; the file says by whom.

    Args:
        place: a file, which stays.
    """

    def __init__(self, place: Path = PLACE) -> None:
        self._place = place
        self._held: IO[str] | None = None

    @property
    def is_held(self) -> bool:
        return self._held is not None

    def take(self, folder: Path) -> None:
        """
        Args:
            folder: where data and logs are, for who asks.

        Raises:
            Failed: another one runs; it says which, and what to do.
        """
        file = self._place.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "It has not said yet which process it is."
            file.close()
            raise Failed(
                f"A cluster runs on this machine already, and a second one would have the same "
                f"addresses. {holder} End that one first."
            ) from None
        file.truncate(0)
        command = " ".join(["python", *sys.argv])
        file.write(f"It is process {os.getpid()} ({command}), since {time.strftime('%H:%M:%S')}; "
                   f"its data and logs are in {folder}.\n")  # fmt: skip
        file.flush()
        self._held = file

    def give_back(self) -> None:
        if self._held is not None:
            self._held.truncate(0)
            self._held.close()
            self._held = None
