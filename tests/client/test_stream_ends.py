"""What a client hears of a stream that is refused while it writes."""

import asyncio
from collections import Counter

from mds.v1.registration_pb2 import AttachRequest, Goodbye, Hello

from control_units.client import Client, ClientError, Refused
from tests.conftest import StartReplica

LARGE = AttachRequest(goodbye=Goodbye(message="x" * 300_000))


async def end_of_a_stream(client: Client) -> str:
    """Why a stream ended into which much is written at once."""
    stream = client.registration.Attach()

    async def write() -> None:
        try:
            await stream.write(AttachRequest(hello=Hello(session="nobody's")))
            for _ in range(50):
                await stream.write(LARGE)
        except ClientError:
            return  # the reader is told, too

    writing = asyncio.create_task(write())
    try:
        async for _ in stream:
            pass
    except Refused as refused:
        return refused.reason
    finally:
        await writing
    return ""


async def test_a_stream_that_is_refused_while_it_writes_is_told_why(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await client.find_servers()
        ends = Counter([await end_of_a_stream(client) for _ in range(40)])
    assert ends == {"SESSION_ENDED": 40}
