"""A gRPC server that plays what a network and its servers can do to a call."""

# ruff: noqa: N802  # the names are those of the protocol's methods

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from mds.v1 import (
    bundle_pb2_grpc,
    template_pb2,
    template_pb2_grpc,
    watch_pb2,
    watch_pb2_grpc,
)

Context = grpc.aio.ServicerContext[Any, Any]
Answer = Callable[[Any, Context], Awaitable[Any]]


@dataclass
class Call:
    """One call as it came."""

    request: Any
    metadata: dict[str, str | bytes]


@dataclass
class ScriptedServer:
    """Gives the answers it was told, the last one for ever; port 0: any free one."""

    answers: list[Answer]
    changes: list[Any] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        template_pb2_grpc.add_TemplatesServicer_to_server(_Templates(self), self._server)
        watch_pb2_grpc.add_WatchServicer_to_server(_Watch(self), self._server)
        bundle_pb2_grpc.add_BundlesServicer_to_server(_Bundles(self), self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)

    async def answer(self, request: Any, context: Context) -> Any:
        metadata = dict(context.invocation_metadata() or ())
        self.calls.append(Call(request, metadata))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request, context)


class _Templates(template_pb2_grpc.TemplatesServicer):
    def __init__(self, script: ScriptedServer) -> None:
        self._script = script

    async def GetTemplate(self, request: Any, context: Any) -> Any:
        return await self._script.answer(request, context)

    async def CreateTemplate(self, request: Any, context: Any) -> Any:
        return await self._script.answer(request, context)

    async def _unused(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    ListTemplates = UpdateTemplate = DeleteTemplate = _unused
    ListTemplateVersions = PublishTemplateVersion = _unused
    DeprecateTemplateVersion = DiscardTemplateDraft = _unused


class _Watch(watch_pb2_grpc.WatchServicer):
    def __init__(self, script: ScriptedServer) -> None:
        self._script = script

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        for change in self._script.changes:
            yield change
        await self._script.answer(request, context)


class _Bundles(bundle_pb2_grpc.BundlesServicer):
    def __init__(self, script: ScriptedServer) -> None:
        self._script = script

    async def Apply(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        header = (await anext(requests)).header
        async for _ in requests:
            pass
        yield await self._script.answer(header, context)

    async def Export(self, *_: Any) -> AsyncIterator[Any]:
        raise NotImplementedError
        yield


async def template(request: Any, context: Context) -> Any:
    """The template that was asked for."""
    context.set_trailing_metadata((("mds-position", "store/1/42"),))
    name = getattr(request, "name", "") or request.template.name
    return template_pb2.Template(name=name)


async def change(_: Any, __: Context) -> Any:
    return watch_pb2.WatchResponse()


async def cut_off(request: Any, context: Context) -> Any:
    """As the transport of a server does that ends just when a call comes in."""
    await context.abort(grpc.StatusCode.CANCELLED, "CANCELLED")


async def end_without_a_status(request: Any, context: Context) -> Any:
    """What a client makes of a stream that a load balancer ends because its server seems dead."""
    await context.abort(grpc.StatusCode.UNKNOWN, "Stream removed")


async def hang(_: Any, __: Context) -> Any:
    await asyncio.Event().wait()


def refuse(
    code: grpc.StatusCode,
    reason: str,
    *,
    retry_ms: int | None = None,
    fields: Iterable[tuple[str, str]] = (),
    **metadata: str,
) -> Answer:
    """A refusal as the contract has it."""
    details: list[Any] = [
        error_details_pb2.ErrorInfo(reason=reason, domain="mds", metadata=metadata)
    ]
    if retry_ms is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(retry_ms)
        details.append(retry)
    violations = [
        error_details_pb2.BadRequest.FieldViolation(field=name, description=text)
        for name, text in fields
    ]
    if violations:
        details.append(error_details_pb2.BadRequest(field_violations=violations))
    status = status_pb2.Status(code=code.value[0], message=f"It is {reason}.")
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)

    async def answer(_: Any, context: Context) -> Any:
        trailing = (("grpc-status-details-bin", status.SerializeToString()),)
        await context.abort(code, status.message, trailing)

    return answer
