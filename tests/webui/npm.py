"""What tests take from npm: axe and the Nu HTML checker, by the page's own lockfile."""

import fcntl
import shutil
from pathlib import Path

import web_assets

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "webui"


def npm_is_missing() -> str:
    return "" if web_assets.has_node() else "node and npm are not installed (Debian: nodejs, npm)"


def java_is_missing() -> str:
    return "" if shutil.which("java") else "Java is not installed (Debian: default-jre-headless)"


def packages() -> Path:
    """`node_modules`, fetched once, and again when the lockfile has changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        stamp = FOLDER / "made-for.txt"
        if not stamp.exists() or stamp.read_text() != web_assets.digest():
            web_assets.install(FOLDER)
            stamp.write_text(web_assets.digest())
    return FOLDER / "node_modules"
