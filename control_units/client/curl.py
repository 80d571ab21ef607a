"""One call as a command line of curl, from what the protocol says of its way over HTTP."""

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

_VARIABLE = re.compile(r"\{([a-z0-9_.]+)(?:=[^{}]*)?\}")
_SECRET = re.compile(r"(secret|password)$", re.IGNORECASE)
ADDRESS_VARIABLE = "MDS_HTTP_ADDRESS"
HIDDEN = "<secret>"
"""Stands for what must not be printed."""


def curl_of(
    method: MethodDescriptor, request: Message, *, base: str, principal: str, token: str = ""
) -> str:
    """The command line, or a comment where there is no such way.

    Args:
        base: of the server's REST: `http://127.0.0.1:7401`.
        principal: who calls.
        token: what stands for a token in a shell, never one: `"$MDS_TOKEN"`; empty: none.
    """
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    if verb is None:
        return (
            f"# {method.full_name} has no way over REST. It can be called with gRPC:\n"
            f"# buf curl --protocol grpc … {method.containing_service.full_name}/{method.name}"
        )
    plain = without_secrets(MessageToDict(request))
    path = _VARIABLE.sub(lambda found: _taken(plain, found[1]), getattr(rule, verb))
    body: Any = None
    if rule.body == "*":
        body, plain = plain, {}
    elif rule.body:
        body = plain.pop(_camel(rule.body), {})
    query = urlencode(list(_pairs(plain)), quote_via=quote, safe="/,")
    url = f"{base}{path}" + (f"?{query}" if query else "")
    # curl keeps what it is told so from the lists of processes, as far as it can.
    who = (
        f"--oauth2-bearer {token}" if token else f"-H {shlex.quote(f'Mds-Principal: {principal}')}"
    )
    return _line(verb.upper(), url, body, who, is_stream=method.client_streaming)


def base_address(address: str) -> str:
    """Where REST is: what MDS_HTTP_ADDRESS says, else where the server in use has it."""
    said = os.environ.get(ADDRESS_VARIABLE, "") or address
    return (said if "://" in said else f"http://{said}").rstrip("/")


def _line(verb: str, url: str, body: Any, who: str, *, is_stream: bool) -> str:
    parts = ["curl -sS" if verb == "GET" else f"curl -sS -X {verb}", who]
    if is_stream:
        parts += ["-H 'Content-Type: application/x-ndjson'", "--data-binary @-"]
    elif body is not None:
        text = json.dumps(body, ensure_ascii=False)
        parts += ["-H 'Content-Type: application/json'", f"--data {shlex.quote(text)}"]
    return " \\\n  ".join([*parts, shlex.quote(url)])


def _taken(plain: dict[str, Any], path: str) -> str:
    """The value that goes into the path, which neither query nor body repeats."""
    *outer, name = path.split(".")
    holder = plain
    for each in outer:
        holder = holder.get(_camel(each), {})
    value = str(holder.pop(_camel(name), ""))
    return quote(value, safe="/")  # an id's colon is %3A: a raw one begins a verb


def _pairs(plain: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in plain.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{before}{key}.")
            continue
        values: Sequence[Any] = value if isinstance(value, list) else [value]
        for each in values:
            text = json.dumps(each) if isinstance(each, bool | dict | list) else str(each)
            yield f"{before}{key}", text


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def without_secrets(plain: Any) -> Any:
    if isinstance(plain, list):
        return [without_secrets(each) for each in plain]
    if not isinstance(plain, Mapping):
        return plain
    return {
        key: HIDDEN if value and _SECRET.search(key) else without_secrets(value)
        for key, value in plain.items()
    }
