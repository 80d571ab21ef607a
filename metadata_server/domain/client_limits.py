"""What clients may take of a replica."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """
    Attributes:
        calls: with one answer, at once.
        calls_per_s: on average; two seconds of them may come in one moment.
        streams: at once; those of unit servers are counted by themselves, so that those who
            watch do not keep out those who control.
        request_bytes: in requests that have come and are not answered, of all clients; a client
            may have half of it.
        strangers: calls of all that wait until it is known whose token they show.
    """

    calls: int = 1_000
    calls_per_s: float = 5_000.0
    streams: int = 4_000
    request_bytes: int = 512 * 1024 * 1024
    strangers: int = 1_000
