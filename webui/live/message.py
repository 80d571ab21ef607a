"""What a browser that listens is sent."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Message:
    """One server-sent event, encoded once for all who get it.

    Attributes:
        id: what the browser says when it comes back, to go on from there; may be empty.
    """

    event: str
    data: str
    id: str = ""

    @cached_property
    def encoded(self) -> bytes:
        lines = [f"event: {self.event}"]
        if self.id:
            lines.append(f"id: {self.id}")
        lines += [f"data: {line}" for line in self.data.split("\n")]
        return ("\n".join(lines) + "\n\n").encode()
