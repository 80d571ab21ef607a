"""The lives of resources: what makes one, with links to all that can be done with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from metadata_server.domain.names import DECLARED


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
