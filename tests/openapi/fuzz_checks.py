"""What schemathesis is told beside the document: loaded by it, as `SCHEMATHESIS_HOOKS`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response, SerializationContext
from schemathesis.checks import negative_data_rejection

LINES = "application/x-ndjson"
SEEN = Path(os.environ["MDS_FUZZ_SEEN"])
"""File that gets a line for each answer: its operation and its status."""


@schemathesis.check
def it_is_counted(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Refuses nothing: what meets only refusals proves little, and is to be told of."""
    if case.method.upper() != case.operation.method.upper():
        return  # a verb that the path has not
    with SEEN.open("a", encoding="utf-8") as file:
        file.write(f"{case.operation.definition.raw['operationId']} {response.status_code}\n")


@schemathesis.check
def a_refusal_is_documented(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """The one reason of a refusal is among those that the operation lists with that status."""
    if response.status_code < 400 or response.status_code == 405:
        return
    (info,) = (
        detail
        for detail in json.loads(response.content)["error"]["details"]
        if detail["@type"].endswith("google.rpc.ErrorInfo")
    )
    responses = case.operation.definition.raw["responses"]
    told = responses.get(str(response.status_code), {}).get("x-reasons", [])
    assert info["reason"] in told, f"{info['reason']} is not listed with {response.status_code}"


@schemathesis.check
def what_cannot_be_is_refused(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """As schemathesis checks it, save that JSON of proto3 reads null as what is unset and numbers
    for names of enums, that HTTP takes white space off the ends of headers, and that a body of
    lines is refused line by line, in the answer."""
    is_trimmed = any(str(text) != str(text).strip() for text in (case.headers or {}).values())
    is_refused = response.status_code >= 400
    is_lines = case.media_type == LINES
    # Of minRevision the fuzz allows less than the document does.
    is_revision = str((case.query or {}).get("minRevision", "")).isdecimal()
    is_right = is_trimmed or is_lines or is_revision
    if not is_refused and not is_right and not reads_more(case.body):
        negative_data_rejection(context, response, case)


def reads_more(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(reads_more, value.values()))
    if isinstance(value, list):
        return any(map(reads_more, value))
    return value is None or type(value) is int


@schemathesis.serializer(LINES)
def lines(context: SerializationContext, value: Any) -> bytes:
    """A body of lines, or what should have been one."""
    return (value if isinstance(value, str) else json.dumps(value)).encode()
