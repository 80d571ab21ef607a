"""Checks the protocol: `buf lint`, and `buf breaking` against the last release that there is."""

import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import generate_protos
from grpc_tools import protoc

ROOT = generate_protos.ROOT
BUF = str(Path(sys.executable).parent / "buf")


def describe(protos: Path, target: Path) -> None:
    """Writes the descriptor set of the protocol in `protos`, comments included."""
    sources = sorted(str(path.relative_to(protos)) for path in protos.glob("mds/v1/*.proto"))
    includes = [f"-I{protos}", *generate_protos.include_paths()[1:]]
    # Compiled here, as buf itself would have to fetch google/api from a registry of its own.
    options = ["--include_imports", "--include_source_info", f"--descriptor_set_out={target}"]
    if protoc.main(["protoc", *includes, *options, *sources]) != 0:
        sys.exit("protoc failed; its message is above.")


def buf(*arguments: str) -> None:
    if subprocess.run([BUF, *arguments], cwd=ROOT, check=False).returncode != 0:
        sys.exit(f"buf {arguments[0]} found what is above.")


def git(*arguments: str) -> bytes:
    """Standard output of git; empty where it fails (no repository, no tag)."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def last_release() -> str:
    return git("describe", "--tags", "--match", "v[0-9]*", "--abbrev=0").decode().strip()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        now = Path(folder, "now.binpb")
        describe(generate_protos.PROTO, now)
        buf("lint", f"{now}#format=binpb", "--config", "buf.yaml")
        if release := last_release():
            with ZipFile(BytesIO(git("archive", "--format=zip", release, "proto"))) as archive:
                archive.extractall(folder)
            before = Path(folder, "before.binpb")
            describe(Path(folder, "proto"), before)
            against = f"{before}#format=binpb"
            buf("breaking", f"{now}#format=binpb", "--against", against, "--config", "buf.yaml")


if __name__ == "__main__":
    main()
