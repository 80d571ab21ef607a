"""How streams end, as the server says it.

gRPC for asyncio forgets that where a message is written just then: it puts an error of its own in
the place of what the server said (https://github.com/grpc/grpc/issues/36066).
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc.aio

T = TypeVar("T")


class StreamEnd:
    """Of one stream, heard at the moment when it comes.

    Attributes:
        error: why the stream has ended; None: it goes on, or has ended well.
    """

    def __init__(self) -> None:
        self.error: grpc.aio.AioRpcError | None = None

    def listen(self, call: Any) -> Any:
        """Follows a call from its beginning; the call."""
        call.add_done_callback(self._hear)
        return call

    def _hear(self, call: Any) -> None:
        code = known(call.code())
        if self.error is not None or code in {None, grpc.StatusCode.OK}:
            return
        trailing = known(call.trailing_metadata()) or grpc.aio.Metadata()
        self.error = grpc.aio.AioRpcError(
            code, grpc.aio.Metadata(), trailing, details=known(call.details())
        )


def known(asked: Coroutine[Any, Any, T]) -> T | None:
    """What need not be waited for any more; None: it would have to be."""
    try:
        asked.send(None)
    except StopIteration as answer:
        found: T = answer.value
        return found
    asked.close()
    return None
