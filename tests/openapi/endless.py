"""Streams that do not end, for which schemathesis would wait: opened, read to their first word,
left."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from unittest import SkipTest
from urllib.parse import urlencode, urlsplit

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode

from tests.openapi.facility import Names
from tests.openapi.likely import likelier
from tests.openapi.test_document import validator

ENDLESS = ("Watch_Watch", "Overview_Pulse")
SILENCE_S = 20
"""No stream is silent for so long; some wait 5 s for a revision first."""
LONGEST_WORD = 4_000_000


def fuzz_streams(base: str, document: Any, names: Names, seconds: float, seed: int) -> str:
    """Opens them in all the ways that their operations can be asked for.

    Returns:
        What is wrong; empty: nothing is.
    """
    likely = copy.deepcopy(document)
    likelier(likely, names)
    schema = schemathesis.openapi.from_dict(likely)
    paths = {
        path: item["get"]
        for path, item in document["paths"].items()
        if item.get("get", {}).get("operationId") in ENDLESS
    }
    found: list[str] = []
    for path, operation in paths.items():
        for mode in GenerationMode:
            cases = schema[path]["GET"].as_strategy(generation_mode=mode)

            def tried(case: Case[Any], operation: Any = operation) -> None:
                found.extend(faults(case, base, operation, document))

            for_a_while(cases, tried, seconds=seconds / len(paths) / 2, seed=seed)
    return "".join(f"{each}\n" for each in dict.fromkeys(found))


def for_a_while(
    cases: SearchStrategy[Any], tried: Callable[[Any], None], *, seconds: float, seed: int
) -> None:
    """Tries cases, one after the other, until the time is over."""
    end = time.monotonic() + seconds

    @seeded(seed)
    @settings(
        max_examples=100_000,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def each(case: Any) -> None:
        if time.monotonic() > end:
            raise SkipTest(
                "The time is over."
            )  # the one way to have Hypothesis end early without a word
        tried(case)

    with suppress(SkipTest):
        each()


def faults(case: Case[Any], base: str, operation: Any, document: Any) -> Iterator[str]:
    """What is wrong with an answer: a status, a reason or a first word that is not documented."""
    target = f"{case.formatted_path}?{urlencode(dict(case.query or {}), doseq=True)}"
    headers = {str(name): str(value) for name, value in dict(case.headers or {}).items()}
    place = urlsplit(base)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=SILENCE_S)
    try:
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        told = operation["responses"].get(str(answer.status))
        if told is None:
            yield f"{target} {headers}: {answer.status} is not documented"
        elif answer.status == 200:
            yield from (f"{target}: {each}" for each in _word_faults(answer, told, document))
        else:
            yield from (f"{target}: {each}" for each in _refusal_faults(answer.read(), told))
    finally:
        connection.close()


def _word_faults(answer: HTTPResponse, told: Any, document: Any) -> Iterator[str]:
    kind = str(answer.headers.get_content_type())
    if kind not in told["content"]:
        yield f"{kind} is not documented"
        return
    line = b""
    while not line.startswith((b"{", b"data:")):
        line = answer.readline(LONGEST_WORD)
        if not line:
            yield "it ended without a word"
            return
    word = json.loads(line.removeprefix(b"data:"))
    for fault in validator(document, told["content"][kind]["x-itemSchema"]).iter_errors(word):
        yield fault.message


def _refusal_faults(body: bytes, told: Any) -> Iterator[str]:
    details = json.loads(body)["error"]["details"]
    reasons = {each["reason"] for each in details if each["@type"].endswith("ErrorInfo")}
    if not reasons <= set(told["x-reasons"]):
        yield f"{reasons} is not listed"
