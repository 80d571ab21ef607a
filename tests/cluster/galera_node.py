"""`deploy/galera/start.sh` as a process, with programs that stand in for those of the database."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

START = Path(__file__).parents[2] / "deploy" / "galera" / "start.sh"
NODES = ("127.0.0.2", "127.0.0.3", "127.0.0.4")

Node = subprocess.Popen[str]


class GaleraNode:
    """One node, and the folders that it has.

    Attributes:
        data: its data folder.
        run: the folder of its socket.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = folder / "programs"
        self._programs.mkdir()
        self.data = folder / "data"
        self.run = folder / "run"

    def start(
        self,
        programs: Mapping[str, str],
        *,
        name: str = NODES[0],
        within: Sequence[str] = (),
        **environment: str,
    ) -> Node:
        """
        Args:
            programs: lines of shell by name.
            name: of this node.
            within: words of a program that runs what is said after them.
        """
        for program, text in programs.items():
            path = self._programs / program
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
        return subprocess.Popen(
            [*within, "/bin/bash", START],
            env={
                "PATH": f"{self._programs}:{os.environ['PATH']}",
                "GALERA_NODE": name,
                "GALERA_NODES": ",".join(NODES),
                "GALERA_CONFIG": "/dev/null",
                "GALERA_DATA": str(self.data),
                "GALERA_RUN": str(self.run),
                "GALERA_SETUP": "/dev/null",
                "GALERA_USER": "root",
                "MDS_DATABASE_PASSWORD": "x",
                **environment,
            },
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip


def end(node: Node) -> str:
    """Ends it and all that it started; what it said."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(node.pid, signal.SIGKILL)
    return node.communicate(timeout=10)[1]
