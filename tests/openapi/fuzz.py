"""Sends a replica whatever its document allows, and what it does not: schemathesis.

`python -m tests.openapi.fuzz --minutes 10` fuzzes a replica of its own on SQLite, with one
resource of each kind in it. Tests do the same for a moment.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metadata_server.domain.names import DECLARED
from tests.openapi.conftest import DOCUMENT
from tests.openapi.likely import likelier
from tests.stages.replica import Replica

ROOT = DOCUMENT.parents[3]
SEED = 20261121
ENDLESS = ("Watch_Watch", "Overview_Pulse")
"""Streams without an end, which tests/rest reads."""
WAITING = "minRevision"
"""Waits 5 s for revisions that nobody has written yet, and is right to."""
NOT_CHECKED = ("positive_data_acceptance", "negative_data_rejection")
"""What fits a schema may still be refused by what is there; `fuzz_checks` has the other one."""


def without_waiting(document: Any) -> Any:
    """The document without the parameter that waits."""
    found = copy.deepcopy(document)
    for item in found["paths"].values():
        for operation in item.values():
            kept = [each for each in operation["parameters"] if not refers_to(each, WAITING)]
            operation["parameters"] = kept
    return found


def refers_to(part: Any, name: str) -> bool:
    return str(part.get("$ref", "")).endswith(f"/{name}")


def linked(document: Any) -> Any:
    """Only what makes resources, with links to all that can be done with one.

    What is made is like the examples, so that it often succeeds. The regular expression in the
    links is schemathesis's own: a standard link cannot say that an id is the rest of a `Location`.
    """
    paths = {}
    for kind in DECLARED:
        path = f"/v1/{kind.collection}"
        create = document["paths"][path]["post"]
        likened(create, document)
        create["responses"]["201"]["links"] = dict(links_of(document, path))
        paths[path] = {"post": create}
        paths |= {other: item for other, item in document["paths"].items() if is_in(other, path)}
        likened(document["paths"][f"{path}/{{id}}"]["patch"], document)
    return document | {"paths": paths}


def likened(operation: Any, document: Any) -> None:
    """Leaves of a body what is in its example, and of that only words to vary."""
    media = operation["requestBody"]["content"]["application/json"]
    name = media["schema"]["$ref"].rpartition("/")[2]
    whole = document["components"]["schemas"][name]["properties"]
    media["schema"] = {
        "type": "object",
        "properties": {
            field: whole[field] if field in VARIED else {"const": value}
            for field, value in media["example"].items()
        },
        "required": list(media["example"]),
        "additionalProperties": False,
    }


VARIED = {"name", "description", "labels"}


def is_in(path: str, collection: str) -> bool:
    return path.startswith((f"{collection}/{{id}}:", f"{collection}/{{id}}/")) or (
        path == f"{collection}/{{id}}"
    )


def links_of(document: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Links to the operations of one resource; to what changes it with the etag that was given."""
    for other, item in document["paths"].items():
        if not is_in(other, path):
            continue
        for operation in item.values():
            parameters = {"path.id": f"$response.header.Location#regex:{path}/(.+)"}
            if any(refers_to(each, "If-Match") for each in operation["parameters"]):
                parameters["header.If-Match"] = "$response.header.ETag"
            name = operation["operationId"]
            yield name, {"operationId": name, "parameters": parameters}


def fill(document: Any, base: str) -> dict[str, str]:
    """Declares the resources of the document's examples, and plans an order to one of them.

    Returns:
        A name that is there, by collection.
    """
    names = {"change_sets": "change_sets/2"}
    for collection in (*(kind.collection for kind in DECLARED), "operations"):
        operation = document["paths"][f"/v1/{collection}"]["post"]
        example = operation["requestBody"]["content"]["application/json"]["example"]
        request = urllib.request.Request(
            f"{base}/v1/{collection}{'?wait=true' if collection == 'operations' else ''}",
            json.dumps(example).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            names[collection] = json.load(answer)["name"]
    return names


def fuzz(base: str, folder: Path, *, seconds: int, phases: str, seed: int) -> str:
    """Fuzzes a server: all operations alone, and then in the order of a resource's life.

    Returns:
        What schemathesis said of what is wrong; empty: nothing is.
    """
    document = without_waiting(json.loads(DOCUMENT.read_text(encoding="utf-8")))
    names = fill(document, base)
    found = []
    if phases:
        alone = copy.deepcopy(document)
        likelier(alone, names)
        found.append(run(alone, base, folder, seconds=seconds * 2 // 3, phases=phases, seed=seed))
    lives = linked(document)
    found.append(run(lives, base, folder, seconds=seconds // 3, phases="stateful", seed=seed))
    return "".join(found)


def run(document: Any, base: str, folder: Path, *, seconds: int, phases: str, seed: int) -> str:
    schema = folder / "document.json"
    schema.write_text(json.dumps(document), encoding="utf-8")
    arguments = [
        *("run", str(schema), "--url", base, "--phases", phases, "--seed", str(seed)),
        *("--max-time", str(seconds), "--request-timeout", "30", "--generation-database", "none"),
        *("--exclude-checks", ",".join(NOT_CHECKED), "--continue-on-failure", "--no-shrink"),
        *("--no-color", "--warnings", "off", "--suppress-health-check", "all"),
    ]
    for name in ENDLESS:
        arguments += ["--exclude-operation-id", name]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.openapi.fuzz_checks", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(Path(sys.executable).parent / "schemathesis"), *arguments],
        cwd=folder,
        env={**os.environ, **hooks},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    with (folder / "said.txt").open("a", encoding="utf-8") as file:
        file.write(said)
    return said if done.returncode else ""


async def fuzzed(folder: Path, *, seconds: int, phases: str, seed: int) -> str:
    """Fuzzes a replica of its own."""
    replica = Replica(f"sqlite:///{folder / 'mds.sqlite'}", folder)
    try:
        await replica.start()
        found = await asyncio.to_thread(
            fuzz, replica.http, folder, seconds=seconds, phases=phases, seed=seed
        )
        replica.program.check_running()
        return found
    finally:
        replica.program.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--phases", default="examples,coverage,fuzzing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = max(1, round(asked.minutes * 60))
        found = asyncio.run(fuzzed(folder, seconds=seconds, phases=asked.phases, seed=asked.seed))
        sys.stdout.write(found or (folder / "said.txt").read_text(encoding="utf-8"))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
