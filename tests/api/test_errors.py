"""Refusals as statuses: as data, small, and as callers see them over a real connection."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st
from mds.v1 import difference_pb2, error_reason_pb2

from metadata_server.api.errors import (
    CODES,
    DETAILS_KEY,
    HTTP_OF_REASONS,
    REASONS,
    abort_with,
    http_status_of,
    status_of,
    unexpected,
)
from metadata_server.domain.conflict import Conflict, FieldConflict
from metadata_server.domain.names import DECLARED
from metadata_server.domain.refused import RefusalKind, Refused, WrongField

ROOT = Path(__file__).resolve().parents[2]
TRAILERS_BYTES = 4500
CALL = "/test.Errors/Call"
STREAM = "/test.Errors/Stream"


def details_of(status: status_pb2.Status, type_: type[Any]) -> list[Any]:
    """The details of one type."""
    found = []
    for packed in status.details:
        detail = type_()
        if packed.Unpack(detail):
            found.append(detail)
    return found


def info_of(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    (info,) = details_of(status, error_details_pb2.ErrorInfo)
    assert isinstance(info, error_details_pb2.ErrorInfo)
    return info


def test_a_status_has_one_error_info() -> None:
    refused = Refused.precondition("ALREADY_RUNNING", "It runs.", host="h", pid=7)
    status = status_of(refused)
    assert (status.code, status.message) == (9, "It runs.")
    info = info_of(status)
    assert (info.reason, info.domain) == ("ALREADY_RUNNING", "mds")
    assert dict(info.metadata) == {"host": "h", "pid": "7"}
    assert len(status.details) == 1


def test_wrong_fields_are_violations_and_counted() -> None:
    fields = [WrongField("a", "1", "2"), WrongField("b[0]", "", "x", "INVALID_VALUE")]
    status = status_of(Refused.wrong_fields(fields))
    (told,) = details_of(status, error_details_pb2.BadRequest)
    assert [(each.field, each.description, each.reason) for each in told.field_violations] == [
        ("a", "a is '1'; right would be 2.", "INVALID_FIELD"),
        ("b[0]", "b[0] is ''; right would be x.", "INVALID_VALUE"),
    ]
    assert info_of(status).metadata["wrong_fields"] == "2"


def test_the_delay_is_told_where_the_call_may_be_sent_again() -> None:
    status = status_of(Refused.pressure("TOO_BUSY", "Wait.", retry_after_ms=1500))
    (retry,) = details_of(status, error_details_pb2.RetryInfo)
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (1, 500_000_000)
    assert not details_of(status_of(Refused.not_found("X", "x")), error_details_pb2.RetryInfo)


def test_many_wrong_fields_are_cut_and_the_rest_is_counted() -> None:
    fields = [WrongField(f"overrides[{n}].minimum", "x" * 5000, "a number") for n in range(2000)]
    status = status_of(Refused.wrong_fields(fields))
    (told,) = details_of(status, error_details_pb2.BadRequest)
    shown = len(told.field_violations) - 1
    assert shown >= 5
    assert told.field_violations[-1].description == f"{2000 - shown} more; mend these first."
    assert info_of(status).metadata["wrong_fields"] == "2000"
    assert status.ByteSize() < TRAILERS_BYTES


def test_a_conflict_tells_what_was_read_what_was_sent_and_what_is_there() -> None:
    fields = (FieldConflict("host", "old", None, ""), FieldConflict("labels[a]", None, "1", "2"))
    conflict = Conflict(
        name="agents/a", read_etag="7", etag="9", author="rita", reason="moved", fields=fields
    )
    status = status_of(Refused.etag_mismatch("It has changed.", [conflict]))
    (told,) = details_of(status, difference_pb2.Conflict)
    assert (told.name, told.read_etag, told.etag) == ("agents/a", "7", "9")
    assert (told.author, told.reason) == ("rita", "moved")
    host, label = told.fields
    assert (host.path, host.read, host.now) == ("host", "old", "")
    assert host.HasField("now")
    assert not host.HasField("sent")
    assert (label.sent, label.now) == ("1", "2")
    assert info_of(status).metadata["conflicts"] == "1"


def test_of_many_conflicts_the_first_are_told_and_all_are_counted() -> None:
    field = FieldConflict("p" * 900, "x" * 900, "y" * 900, "z" * 900)
    many = [Conflict(name=f"agents/{n}", fields=(field,) * 9) for n in range(300)]
    status = status_of(Refused.moved("PLAN_MOVED", "Plan again.", many))
    told = details_of(status, difference_pb2.Conflict)
    assert told[0].name == "agents/0"
    assert told[0].fields[0].now.startswith("zzz")
    assert len(told) < 300
    assert info_of(status).metadata["conflicts"] == "300"
    assert status.ByteSize() < TRAILERS_BYTES


LONG = st.text(max_size=30).map(lambda text: text * 100)


@given(
    st.sampled_from(list(RefusalKind)),
    LONG,
    st.dictionaries(st.text(max_size=20), LONG, max_size=10),
    st.lists(st.builds(WrongField, LONG, LONG, LONG), max_size=8),
    st.lists(
        st.builds(
            Conflict,
            name=st.text(max_size=200),
            read_etag=LONG,
            author=LONG,
            reason=LONG,
            fields=st.lists(st.builds(FieldConflict, LONG, LONG, LONG, LONG), max_size=3).map(
                tuple
            ),
        ),
        max_size=4,
    ),
)
def test_a_status_always_fits_the_trailers(
    kind: RefusalKind,
    message: str,
    metadata: dict[str, str],
    fields: list[WrongField],
    conflicts: list[Conflict],
) -> None:
    refused = Refused(
        kind, "INVALID_FIELD", message, fields=fields, conflicts=conflicts, metadata=metadata
    )
    assert status_of(refused).ByteSize() < TRAILERS_BYTES


def test_every_kind_of_refusal_has_a_code_and_an_http_status() -> None:
    assert set(CODES) == set(RefusalKind)
    for kind in RefusalKind:
        assert 400 <= http_status_of(Refused(kind, "X", "x")) < 600


@pytest.mark.parametrize(
    ("refused", "http"),
    [
        (Refused.invalid("INVALID_ID", ""), 400),
        (Refused.not_found("AGENT_NOT_FOUND", ""), 404),
        (Refused.exists(""), 409),
        (Refused.precondition("STILL_IN_USE", ""), 409),
        (Refused.etag_required(""), 428),
        (Refused.etag_mismatch(""), 412),
        (Refused.moved("CHANGED_SINCE", "", []), 409),
        (Refused.moved("PLAN_MOVED", "", []), 409),
        (Refused.trimmed("HISTORY_TRIMMED", ""), 410),
        (Refused.busy("DRAINING", ""), 503),
        (Refused.pressure("TOO_BUSY", ""), 429),
        (Refused.pressure("MESSAGE_TOO_LARGE", ""), 413),
        (Refused.invalid("CHANGE_TOO_LARGE", ""), 413),
        (unexpected(ValueError("x")), 500),
    ],
    ids=lambda value: getattr(value, "reason", value),
)
def test_the_http_status_belongs_to_the_reason(refused: Refused, http: int) -> None:
    assert http_status_of(refused) == http
    assert refused.reason in REASONS
    assert f"HTTP {http}" in documented(refused.reason)


def documented(reason: str) -> str:
    """The comment above a reason in the protocol."""
    lines = (ROOT / "proto/mds/v1/error_reason.proto").read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.split("=")[0].strip() == reason)
    above: list[str] = []
    while lines[at - 1].strip().startswith("//"):
        at -= 1
        above.insert(0, lines[at].strip("/ "))
    return " ".join(above)


@pytest.mark.parametrize("reason", sorted(REASONS - {"ERROR_REASON_UNSPECIFIED"}))
def test_every_reason_is_documented_with_its_statuses(reason: str) -> None:
    comment = documented(reason)
    assert any(code.name in comment for code in CODES.values())
    assert "HTTP 4" in comment or "HTTP 5" in comment


def test_reasons_of_their_own_http_status_are_in_the_protocol() -> None:
    assert set(HTTP_OF_REASONS) <= REASONS
    assert {kind.not_found for kind in DECLARED} <= REASONS


def test_an_unexpected_error_tells_nothing_of_itself() -> None:
    status = status_of(unexpected(ValueError("password=secret")))
    assert status.code == 13
    assert info_of(status).reason == "INTERNAL_FAULT"
    assert "secret" not in str(status)
    known = Refused.busy("DRAINING", "x")
    assert unexpected(known) is known


def raised_in_code() -> dict[str, str]:
    """Reasons that the server's code names where it refuses, with a place of each."""
    found = {}
    for path in sorted((ROOT / "metadata_server").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for reason in reasons_in(node):
                found[reason] = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
    return found


FACTORIES = {
    "invalid",
    "not_found",
    "precondition",
    "moved",
    "trimmed",
    "busy",
    "pressure",
    "fault",
}


def reasons_in(node: ast.AST) -> list[str]:
    """Reasons in a call of `Refused.…`, of `Refused` or of `WrongField`."""
    if not isinstance(node, ast.Call):
        return []
    function = node.func
    if isinstance(function, ast.Name) and function.id == "Condition":
        return []  # its reasons are words of their own
    position = None
    if isinstance(function, ast.Attribute) and function.attr in FACTORIES:
        is_refused = isinstance(function.value, ast.Name) and function.value.id in {
            "Refused",
            "cls",
        }
        position = 0 if is_refused else None
    elif isinstance(function, ast.Name) and function.id in {"Refused", "WrongField"}:
        position = 1 if function.id == "Refused" else 3
    named = [word.value for word in node.keywords if word.arg == "reason"]
    at = node.args[position : position + 1] if position is not None else []
    return [
        each.value
        for each in (*at, *named)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]


def test_every_reason_raised_in_code_is_in_the_protocol() -> None:
    raised = raised_in_code()
    assert len(raised) > 10, "the search finds nothing"
    unknown = {reason: place for reason, place in raised.items() if reason not in REASONS}
    assert not unknown


class Handlers(grpc.GenericRpcHandler):
    """Refuses every call with what it is given, after a position was told."""

    def __init__(self, refused: Refused) -> None:
        self._refused = refused

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        if details.method == CALL:
            return grpc.unary_unary_rpc_method_handler(self.call)
        return grpc.unary_stream_rpc_method_handler(self.stream)

    async def call(self, _: bytes, context: Any) -> None:
        context.set_trailing_metadata((("mds-position", "s/1/2"),))
        assert await abort_with(context, self._refused) == CODES[self._refused.kind].name

    async def stream(self, _: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        await abort_with(context, self._refused)


async def read_all(channel: Any, method: str, got: list[bytes]) -> None:
    if method == CALL:
        got.append(await channel.unary_unary(method)(b"", timeout=5))
        return
    call = channel.unary_stream(method)(b"", timeout=5)
    while (message := await call.read()) is not grpc.aio.EOF:
        got.append(message)


async def refusal_over_the_wire(refused: Refused, method: str) -> tuple[Any, list[bytes]]:
    """The error that a client sees, and what came before it."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Handlers(refused),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    got: list[bytes] = []
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await read_all(channel, method, got)
    finally:
        await server.stop(None)
    return caught.value, got


@pytest.mark.parametrize("method", [CALL, STREAM])
async def test_a_client_sees_code_words_and_details(method: str) -> None:
    refused = Refused.wrong_fields([WrongField("a", "µ", "b")])
    error, got = await refusal_over_the_wire(refused, method)
    assert got == ([b"first"] if method == STREAM else [])
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "a is 'µ'; right would be b."
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers[DETAILS_KEY])
    assert info_of(status).reason == "INVALID_FIELD"
    assert trailers.get("mds-position") == ("s/1/2" if method == CALL else None)


async def test_a_large_refusal_still_arrives() -> None:
    fields = [WrongField("é" * 400, "µ" * 400, "ü" * 400) for _ in range(500)]
    error, _ = await refusal_over_the_wire(Refused.wrong_fields(fields), CALL)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())[DETAILS_KEY])
    assert info_of(status).metadata["wrong_fields"] == "500"


def test_the_enum_counts_each_number_once() -> None:
    numbers = error_reason_pb2.ErrorReason.values()
    assert len(set(numbers)) == len(numbers)
