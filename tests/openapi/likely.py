"""What a fuzzer would hardly guess: names that are there, and words that are understood.

Each text may still be anything; every other time it is one of these.
"""

from __future__ import annotations

import re
from typing import Any

NAMED = re.compile(r"`([a-z_]+)/\{")
WORDS: dict[str, list[str]] = {
    "asOf": ["", "2", "2036-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
    "fields": [""],
    "orderBy": ["", "name desc"],
    "pageToken": [""],
    "from": ["1"],
    "to": ["2", ""],
    "updateMask": ["*", "description"],
    "author": ["", "anonymous"],
    "newName": ["control_units/DAFNE/PL/QSK/QSKPL107"],
    "idPrefix": ["", "DAFNE/"],
}
BUNDLE = """\
{"header": {"onConflict": "ON_CONFLICT_REPLACE"}}
{"items": [{"source": "line 2", "variable": {"name": "variables/A", "value": "1"}}]}
{"items": [{"source": "line 3", "agent": {"name": "agents/A"}}]}
{"end": true}
"""


def likelier(document: Any, names: dict[str, str]) -> None:
    """Offers words in all parameters and bodies of a document.

    Args:
        names: a name that is there, by collection.
    """
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation["parameters"]:
                offer(parameter, names)
            bodies = operation.get("requestBody", {}).get("content", {})
            if "application/x-ndjson" in bodies:
                media = bodies["application/x-ndjson"]
                media["schema"] = {"anyOf": [{"const": BUNDLE}, media["schema"]]}
    for parameter in document["components"]["parameters"].values():
        offer(parameter, names)
    for schema in document["components"]["schemas"].values():
        properties = schema.get("properties", {})
        for field, inner in properties.items():
            properties[field] = offered(field, inner, inner.get("description", ""), names)


def offer(parameter: Any, names: dict[str, str]) -> None:
    if "schema" not in parameter:
        return
    told = parameter["description"]
    if parameter["in"] == "path":
        collection = next(iter(NAMED.findall(told)), "")
        if collection in names:
            known = names[collection].partition("/")[2]
            parameter["schema"] = {"anyOf": [{"const": known}, parameter["schema"]]}
            parameter["example"] = known
        return
    parameter["schema"] = offered(parameter["name"], parameter["schema"], told, names)
    if parameter["name"] in WORDS:
        parameter["example"] = WORDS[parameter["name"]][0]


def offered(field: str, schema: Any, told: str, names: dict[str, str]) -> Any:
    """The schema of a text or of a list of texts, with words offered where some are known."""
    if schema.get("type") == "array" and schema["items"].get("type") == "string":
        return schema | {"items": offered(field, schema["items"], told, names)}
    if schema.get("type") != "string" or "format" in schema or schema.get("readOnly"):
        return schema
    words = [names[collection] for collection in NAMED.findall(told) if collection in names]
    words += WORDS.get(field, [])
    if not words:
        return schema
    return {"anyOf": [{"enum": words}, schema], "description": told}
