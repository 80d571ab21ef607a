"""What this machine can do at the moment: a bare gRPC echo, and bare multi-row inserts.

A machine with two shared cores varies by a factor of two from one minute to the next, so each
figure of ours stands beside one of these from the same run.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import grpc
import pymysql

CALLS, IN_FLIGHT = 4000, 64
ROWS_A_STATEMENT = 1000


async def serve_echo(port: int) -> None:
    """A bare grpc.aio server that gives back the bytes it got."""

    async def echo(request: bytes, _: object) -> bytes:
        return request

    handler = grpc.method_handlers_generic_handler(
        "Echo", {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination(60)


async def echo_calls_per_second(port: int) -> float:
    """Unary calls per second of a bare echo in another process, 64 in flight."""
    command = [sys.executable, "-m", "benchmarks.limits", str(port)]
    process = subprocess.Popen(command)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 20)
            call: Any = channel.unary_unary("/Echo/Echo")
            left = iter(range(CALLS))

            async def caller() -> None:
                for _ in left:
                    await call(b"x" * 200)

            began = time.perf_counter()
            async with asyncio.TaskGroup() as tasks:
                for _ in range(IN_FLIGHT):
                    tasks.create_task(caller())
            return CALLS / (time.perf_counter() - began)
    finally:
        process.kill()
        process.wait()


def inserted_rows_per_second(url: str, rows: Iterable[tuple[int, int]]) -> float:
    """Rows per second of bare PyMySQL: statements of 1,000 rows, one commit each 7,000 rows.

    Args:
        url: of an empty MariaDB database.
        rows: pairs of the size of a row in bytes, and how many there are of it.
    """
    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=parts.username or "root",
        password=parts.password or "",
        database=parts.path.lstrip("/"),
    )
    total = 0
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (id BIGINT PRIMARY KEY, body MEDIUMTEXT) ENGINE=InnoDB")
        began = time.perf_counter()
        for size, count in rows:
            body = "x" * size
            for start in range(0, count, ROWS_A_STATEMENT):
                batch = range(total + start, total + min(start + ROWS_A_STATEMENT, count))
                cursor.executemany("INSERT INTO bare VALUES (%s, %s)", [(i, body) for i in batch])
                if start % (7 * ROWS_A_STATEMENT) == 0:
                    connection.commit()
            connection.commit()
            total += count
        seconds = time.perf_counter() - began
        cursor.execute("DROP TABLE bare")
    return total / seconds


if __name__ == "__main__":
    asyncio.run(serve_echo(int(sys.argv[1])))
