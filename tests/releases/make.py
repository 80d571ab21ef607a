"""Keeps what the tests of the next releases need of this one, as it is committed:
`PYTHONPATH=tools python -m tests.releases.make`; with `--check` it says whether that has been done.
See docs/how-to/release.md."""

import asyncio
import io
import json
import lzma
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path

from generate_protos import include_paths
from grpc_tools import protoc

from tests.releases.filling import fill
from tests.releases.release import (
    CODE,
    CONTENTS,
    DISTRIBUTION,
    FOLDER,
    MARIADB,
    PROTOCOL,
    SQLITE,
    Release,
    login,
)
from tests.stages.mariadb import MariaDB, find, name_in

ROOT = FOLDER.parents[1]
PACKAGES = ("metadata_server", "control_units", "proto/mds")
# Filled by a history that was trimmed after a day, by an agent that is asked for a log file at that
# moment, by what holds of a unit for minutes.
MAY_BE_EMPTY = {"horizon", "log_request", "unit_condition"}


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def committed() -> dict[str, bytes]:
    """The files of the packages as they are installed, by path; of `proto` what is imported."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(git("archive", "HEAD", "--", *PACKAGES))) as archive:
        for member in archive.getmembers():
            if member.isfile() and not member.name.endswith(".pyi"):
                file = archive.extractfile(member)
                assert file is not None
                found[member.name.removeprefix("proto/")] = file.read()
    return found


def committed_configuration() -> ConfigParser:
    config = ConfigParser()
    config.read_string(git("show", "HEAD:setup.cfg").decode())
    return config


def installed_as(version: str, config: ConfigParser) -> dict[str, bytes]:
    """What says which commands there are."""
    folder = f"{DISTRIBUTION.replace('-', '_')}-{version}.dist-info"
    points = config["options.entry_points"]
    commands = [line for line in points["mds.commands"].splitlines() if "webui" not in line]
    return {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\n"
        f"Version: {version}\n".encode(),
        f"{folder}/entry_points.txt": "\n".join(["[mds.commands]", *commands, ""]).encode(),
    }


def files_in(archive: Path) -> dict[str, bytes]:
    """What `pack` has packed."""
    found = {}
    with tarfile.open(archive) as packed:
        for member in packed:
            file = packed.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
    return found


def what_differs(kept: Path, own: Mapping[str, bytes]) -> list[str]:
    """Files of a release that are others in what is kept of it, or only in one of both."""
    if not (kept / CODE).is_file():
        return sorted(own)
    packed = files_in(kept / CODE)
    return sorted(path for path in packed.keys() | own.keys() if packed.get(path) != own.get(path))


def check() -> str:
    """Why what is committed must not be tagged as a release; empty: it may."""
    config = committed_configuration()
    version = config["metadata"]["version"]
    differing = what_differs(FOLDER / version, committed() | installed_as(version, config))
    if not differing:
        return ""
    return (
        f"tests/releases/{version} is not of what is committed, in {len(differing)} files: "
        f"{', '.join(differing[:3])}. Make it again, and commit it before you tag: "
        "PYTHONPATH=tools .venv/bin/python -m tests.releases.make"
    )


def pack(files: dict[str, bytes], target: Path) -> None:
    """The same files give the same archive."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    target.write_bytes(compressed(plain.getvalue()))


def compressed(content: bytes) -> bytes:
    return lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)


def describe(release: Release) -> None:
    includes = [f"-I{release.code}", *include_paths()[1:]]
    sources = [str(path.relative_to(release.code)) for path in release.code.glob("mds/v1/*.proto")]
    target = f"--descriptor_set_out={release.folder / PROTOCOL}"
    done = protoc.main(["protoc", *includes, "--include_imports", target, *sorted(sources)])
    assert done == 0, "protoc failed; its message is above"


def dump_of_sqlite(file: Path) -> bytes:
    connection = sqlite3.connect(file)
    try:
        return "\n".join(connection.iterdump()).encode()
    finally:
        connection.close()


def dump_of_mariadb(mariadb: MariaDB, database: str) -> bytes:
    options = ["--skip-comments", "--skip-dump-date", "--single-transaction", "--order-by-primary"]
    command = [find("mariadb-dump") or "mariadb-dump", *login(mariadb), *options, database]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


def rows_in(file: Path) -> dict[str, int]:
    connection = sqlite3.connect(file)
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = sorted(name for (name,) in tables)
        return {
            name: connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]
            for name in names
        }
    finally:
        connection.close()


async def fill_databases(release: Release, folder: Path) -> dict[str, int]:
    """Fills one of each family, and keeps them; how many rows each table has."""
    file = folder / "filled.sqlite"
    replica = release.replica(f"sqlite:///{file}", folder)
    try:
        await replica.start()
        await fill(release, replica, folder)
    finally:
        replica.program.clear()
    (release.folder / SQLITE).write_bytes(compressed(dump_of_sqlite(file)))
    mariadb = MariaDB(folder)
    try:
        mariadb.install()
        url = mariadb.url(mariadb.create_database())
        replica = release.replica(url, folder)
        await replica.migrate()
        await replica.start()
        await fill(release, replica, folder)
        replica.program.clear()
        (release.folder / MARIADB).write_bytes(compressed(dump_of_mariadb(mariadb, name_in(url))))
    finally:
        replica.program.clear()
        mariadb.clear()
    return rows_in(file)


def main() -> None:
    if sys.argv[1:] == ["--check"]:
        sys.exit(check() or 0)
    config = committed_configuration()
    version = config["metadata"]["version"]
    target = FOLDER / version
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as work:
        release = Release(Path(made), Path(work, "code"))
        pack(committed() | installed_as(version, config), release.folder / CODE)
        release.unpack()
        describe(release)
        rows = asyncio.run(fill_databases(release, Path(work)))
        if empty := {name for name, count in rows.items() if not count} - MAY_BE_EMPTY:
            sys.exit(f"Nothing was put into {', '.join(sorted(empty))}; see filling.py")
        steps = Path(release.code, "metadata_server/store/migrations/versions").glob("v*.py")
        contents = {
            "release": version,
            "schema": max(path.name[1:5] for path in steps),
            "commit": git("rev-parse", "HEAD").decode().strip(),
            "rows": rows,
        }
        (release.folder / CONTENTS).write_text(json.dumps(contents, indent=1) + "\n")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(release.folder, target)
    sizes = ", ".join(f"{path.name} {path.stat().st_size:,}" for path in sorted(target.iterdir()))
    sys.stdout.write(f"{target.relative_to(ROOT)}: {sizes} bytes\n")


if __name__ == "__main__":
    main()
