"""The last good configuration of a unit server, on its disk, for starts without a server."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import quote

import structlog
from google.protobuf.message import DecodeError
from mds.v1 import registration_pb2
from platformdirs import user_state_path

FOLDER_VARIABLE = "MDS_STATE_FOLDER"
_HEADER = b"mds unit server copy 1 "

log = structlog.get_logger(__name__)


def default_folder() -> Path:
    """MDS_STATE_FOLDER, else the user's own folder for the state of programs."""
    set_folder = os.environ.get(FOLDER_VARIABLE)
    return Path(set_folder) if set_folder else user_state_path("mds", appauthor=False)


class DiskCopy:
    """One file: what the server last told, as far as units have shown that it works.

    Written beside and renamed, so that a reader finds the old one or the new one, whole; its
    checksum stands in its first line.
    """

    def __init__(self, folder: Path, unit_server: str) -> None:
        # Ids have slashes and colons; a file name must have neither.
        self.path = folder / f"{quote(unit_server, safe='')}.copy"
        self._saved = b""

    def load(self) -> registration_pb2.RegisterResponse | None:
        """What was kept; None where there is nothing that can be used."""
        try:
            header, _, content = self.path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("disk_copy_unreadable", path=str(self.path), error=str(error))
            return None
        if header != _HEADER + hashlib.sha256(content).hexdigest().encode():
            log.warning("disk_copy_damaged", path=str(self.path))
            return None
        try:
            return registration_pb2.RegisterResponse.FromString(content)
        except DecodeError as error:
            log.warning("disk_copy_damaged", path=str(self.path), error=str(error))
            return None

    def save(self, kept: registration_pb2.RegisterResponse) -> None:
        """Replaces the file; on disk when it returns.

        Raises:
            OSError: it cannot be written; the one before is untouched.
        """
        content = kept.SerializeToString(deterministic=True)
        if content == self._saved:
            return
        header = _HEADER + hashlib.sha256(content).hexdigest().encode()
        # Init parameters of drivers may hold passwords: only this user may read them.
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self.path.with_suffix(f".{os.getpid()}")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(header + b"\n" + content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        self._saved = content
