"""The example in JavaScript, with what it needs, in a folder beside the caches."""

from pathlib import Path

from tests.stages.node import copied, lock_files, once

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "examples" / "javascript"


def prepared() -> Path:
    """The folder to run it in: its packages and its generated client are made once, and again
    when what they are made of has changed."""
    with copied(SOURCE, "javascript") as folder:
        made_of = [*lock_files(SOURCE), *protos(), SOURCE / "generate.sh"]
        once(folder, "npm", "run", "generate", made_of=made_of)
    return folder


def protos() -> list[Path]:
    return sorted((ROOT / "proto" / "mds" / "v1").glob("*.proto"))
