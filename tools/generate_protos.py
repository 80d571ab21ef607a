"""Makes the Python modules of `proto/` from its `.proto` files.

`python tools/generate_protos.py` writes them beside their sources;
`python tools/generate_protos.py --check` says which ones are not current and fails.
"""

import argparse
import filecmp
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PACKAGE = Path("mds/v1")
PLUGINS = ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def include_paths() -> list[str]:
    """Where protoc looks: ours, Google's well-known types, and google/api, google/rpc."""
    import google.api

    common = Path(next(iter(google.api.__path__))).parent.parent
    return [f"-I{PROTO}", f"-I{common}", f"-I{resources.files('grpc_tools') / '_proto'}"]


def plugins() -> list[str]:
    """Where protoc finds what writes the `.pyi` files: beside this Python."""
    folder = Path(sys.executable).parent
    return [f"--plugin={name}={folder / name}" for name in PLUGINS]


def generate(target: Path) -> None:
    """Writes all generated modules into `target`/mds/v1."""
    (target / PACKAGE).mkdir(parents=True, exist_ok=True)
    sources = sorted(str(path.relative_to(PROTO)) for path in (PROTO / PACKAGE).glob("*.proto"))
    services = [name for name in sources if "\nservice " in (PROTO / name).read_text()]
    outputs = [f"--python_out={target}", f"--mypy_out=quiet:{target}"]
    run(outputs, sources)
    run([f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}"], services)


def run(outputs: list[str], sources: list[str]) -> None:
    if protoc.main(["protoc", *include_paths(), *plugins(), *outputs, *sources]) != 0:
        sys.exit("protoc failed; its message is above.")


def generated_in(folder: Path) -> set[str]:
    return {path.name for pattern in GENERATED for path in (folder / PACKAGE).glob(pattern)}


def stale() -> list[str]:
    """Names of generated modules that differ from what the protos would give today."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        names = sorted(generated_in(fresh) | generated_in(PROTO))
        _, differing, missing = filecmp.cmpfiles(
            fresh / PACKAGE, PROTO / PACKAGE, names, shallow=False
        )
        return sorted(differing + missing)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if not current")
    if not parser.parse_args().check:
        generate(PROTO)
    elif names := stale():
        sys.exit(f"Not current: {', '.join(names)}. Run: python tools/generate_protos.py")


if __name__ == "__main__":
    main()
