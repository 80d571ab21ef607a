"""The example in JavaScript, with what it needs, in a folder beside the caches."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "examples" / "javascript"
# As deep as the example itself: it finds the protocol two folders up.
FOLDER = ROOT / ".cache" / "javascript"
OLDEST_NODE = 20
PATIENCE_S = 120


@cache
def what_is_missing() -> str:
    """Why it cannot run here; empty: it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are not installed (Debian: nodejs, npm)"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.match(r"v(\d+)", said)
    if version is None or int(version[1]) < OLDEST_NODE:
        return f"Node.js {OLDEST_NODE} is needed, and this is {said.strip()}"
    return ""


def prepared() -> Path:
    """The folder to run it in: its packages and its generated client are made once, and again
    when what they are made of has changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        for file in SOURCE.iterdir():
            if file.is_file():
                shutil.copy2(file, FOLDER)
        once("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", made_of=lock_files())
        once("npm", "run", "generate", made_of=[*lock_files(), *protos(), SOURCE / "generate.sh"])
    return FOLDER


def lock_files() -> list[Path]:
    return [SOURCE / "package.json", SOURCE / "package-lock.json"]


def protos() -> list[Path]:
    return sorted((ROOT / "proto" / "mds" / "v1").glob("*.proto"))


def once(*command: str, made_of: list[Path]) -> None:
    """Runs a command, unless it has been run on just these files."""
    content = sha256(b"".join(file.read_bytes() for file in made_of)).hexdigest()
    stamp = FOLDER / f".{'-'.join(command[:3]).replace('--', '')}"
    if stamp.exists() and stamp.read_text() == content:
        return
    stamp.unlink(missing_ok=True)
    done = subprocess.run(
        command,
        cwd=FOLDER,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    stamp.write_text(content)
