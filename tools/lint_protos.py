"""Checks the protocol: `buf lint`, and `buf breaking` against the last release that is kept."""

import subprocess
import sys
import tempfile
from pathlib import Path

import generate_protos
from grpc_tools import protoc

ROOT = generate_protos.ROOT
RELEASES = ROOT / "tests" / "releases"
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


def last_release() -> Path | None:
    """The descriptors of the newest release that is kept."""
    kept = RELEASES.glob("*/protocol.binpb")
    return max(kept, key=lambda path: tuple(map(int, path.parent.name.split("."))), default=None)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        now = Path(folder, "now.binpb")
        describe(generate_protos.PROTO, now)
        buf("lint", f"{now}#format=binpb", "--config", "buf.yaml")
        if before := last_release():
            against = f"{before}#format=binpb"
            buf("breaking", f"{now}#format=binpb", "--against", against, "--config", "buf.yaml")


if __name__ == "__main__":
    main()
