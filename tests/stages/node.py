"""Programs in JavaScript, with what they need, in folders beside the caches."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"
OLDEST_NODE = 20
PATIENCE_S = 120


@cache
def what_is_missing() -> str:
    """Why none can run here; empty: they can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are not installed (Debian: nodejs, npm)"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.match(r"v(\d+)", said)
    if version is None or int(version[1]) < OLDEST_NODE:
        return f"Node.js {OLDEST_NODE} is needed, and this is {said.strip()}"
    return ""


@contextmanager
def copied(source: Path, name: str) -> Iterator[Path]:
    """A folder with the files of another and the packages of its lock file, which nobody else
    changes meanwhile. It is as deep as `examples/javascript`, which finds the protocol two up."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        for file in source.iterdir():
            if file.is_file():
                shutil.copy2(file, folder)
        install = ("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
        once(folder, *install, made_of=lock_files(source))
        yield folder


def lock_files(source: Path) -> list[Path]:
    return [source / "package.json", source / "package-lock.json"]


def once(folder: Path, *command: str, made_of: list[Path]) -> None:
    """Runs a command in a folder, unless it has been run on just these files."""
    content = sha256(b"".join(file.read_bytes() for file in made_of)).hexdigest()
    stamp = folder / f".{'-'.join(command[:3]).replace('--', '')}"
    if stamp.exists() and stamp.read_text() == content:
        return
    stamp.unlink(missing_ok=True)
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    stamp.write_text(content)
