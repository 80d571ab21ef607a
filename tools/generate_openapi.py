"""Makes the OpenAPI document of the protocol, which every replica serves at /openapi.json.

`python tools/generate_openapi.py` writes it; `python tools/generate_openapi.py --check` says
whether it is current and fails if it is not.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import generate_protos
import lint_protos
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from openapi_document.document import document_of

TARGET = generate_protos.ROOT / "metadata_server" / "api" / "openapi" / "openapi.json"


def make_document() -> str:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "protocol.binpb")
        lint_protos.describe(generate_protos.PROTO, target)
        document = document_of(FileDescriptorSet.FromString(target.read_bytes()))
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if not current")
    text = make_document()
    if not parser.parse_args().check:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        sys.exit(f"Not current: {TARGET.name}. Run: make generate")


if __name__ == "__main__":
    main()
