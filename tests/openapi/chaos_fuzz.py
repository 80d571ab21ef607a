"""Sends `/CU` and `/MDS` what clients of !CHAOS might, and worse: they are in no document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from mds.v1.error_reason_pb2 import ErrorReason

from metadata_server.api.chaos.commands import COMMANDS
from tests.openapi.endless import SILENCE_S, for_a_while
from tests.openapi.facility import AGENT, UNIT, UNIT_SERVER

STATUSES = {200, 204, 400, 403, 404, 405, 406, 409, 410, 412, 413, 415, 428, 429, 501}
"""What docs/how-to/coming-from-chaos.md tells of, and what any request can be answered with."""
REASONS = frozenset(ErrorReason.keys())
NAMES = (UNIT, UNIT_SERVER, AGENT, "ring/nominal_energy", "golden-2026-11", "standby", "", "none")
WHATS = [
    "search",
    "get",
    "set",
    "desc",
    "save",
    "load",
    "del",
    "create",
    "list",
    "new",
    "status",
    "health",
    "input",
    "custom",
    "cu",
    "us",
    "agent",
    "parent",
    "info",
    "command",
    "snapshot",
    "variable",
    "script",
    "cu_alarms",
    "all",
]
TEXTS = st.one_of(st.sampled_from(NAMES), st.text(max_size=30))
JSONS: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
PARMS = st.fixed_dictionaries(
    {},
    optional={
        "what": st.sampled_from(WHATS) | JSONS,
        "name": TEXTS | JSONS,
        "names": st.lists(TEXTS, max_size=3) | JSONS,
        "node_list": st.lists(TEXTS, max_size=3) | JSONS,
        "type": st.sampled_from(["cu", "us", "agent", "nt_unit_server"]) | JSONS,
        "value": JSONS,
        "alive": st.booleans() | JSONS,
        "pagelen": st.integers() | JSONS,
        "pagestart": st.integers() | JSONS,
        "impl": TEXTS,
        "current": st.just("1") | JSONS,
    },
)


@dataclass(frozen=True)
class Request:
    verb: str
    target: str
    body: bytes
    kind: str


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Fields in the query or in the body, mostly as they should be."""
    names = sorted({word for command in COMMANDS for word in [command.name.split()[0]]})
    fields = {
        "cmd": draw(st.sampled_from(names) | TEXTS),
        "dev": draw(st.sampled_from([UNIT, f"{UNIT},none", "", "A," * 1100]) | TEXTS),
        "parm": draw(PARMS.map(json.dumps) | JSONS.map(json.dumps) | st.text(max_size=50)),
    }
    kept = draw(st.sets(st.sampled_from(sorted(fields)), min_size=1))
    text = "&".join(f"{name}={quote(fields[name])}" for name in sorted(kept))
    path = draw(st.sampled_from(["/CU", "/MDS"]))
    verb = draw(st.sampled_from(["GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"]))
    body = text.encode() if verb == "POST" else b""
    if draw(st.integers(0, 9)) == 0:
        body = draw(st.binary(max_size=60))
    kinds = ["application/x-www-form-urlencoded", "text/plain", "application/json"]
    kind = draw(st.sampled_from(kinds))
    return Request(verb, path if body else f"{path}?{text}", body, kind)


def fuzz_chaos(base: str, seconds: float, seed: int) -> str:
    """
    Returns:
        What is wrong; empty: nothing is.
    """
    found: list[str] = []
    for_a_while(
        requests(),
        lambda request: found.extend(faults(request, base)),
        seconds=seconds,
        seed=seed,
    )
    return "".join(f"{each}\n" for each in dict.fromkeys(found))


def faults(request: Request, base: str) -> Iterator[str]:
    place = urlsplit(base)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=SILENCE_S)
    try:
        headers = {"Content-Type": request.kind}
        connection.request(request.verb, request.target, request.body, headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status not in STATUSES:
        yield f"{request}: {answer.status} {body[:500]!r}"
    elif request.verb not in ("HEAD", "OPTIONS"):
        told = json.loads(body)
        if answer.status >= 400 and told["error"]["code"] != answer.status:
            yield f"{request}: {told}"
        elif answer.status >= 400:
            reason, _, message = told["error_status"].partition(": ")
            if reason not in REASONS or not message:
                yield f"{request}: {told['error_status']}"
