"""What a library alone can do: a grpc.aio echo and an aiohttp handler of JSON, in a process of
their own. Prints their ports; ends with its input."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import grpc
import uvloop
from aiohttp import web

METHOD = "/bare.Bare/Echo"


async def echo(request: bytes, _: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    return request


async def serve(document: object) -> None:
    """Serves until its input ends."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(document)

    server = grpc.aio.server()
    handler: Any = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bare.Bare", {"Echo": handler}),)
    )
    grpc_port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"grpc": grpc_port, "http": runner.addresses[0][1]}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()
    await server.stop(0)


if __name__ == "__main__":
    uvloop.run(serve(json.loads(sys.stdin.readline())))
