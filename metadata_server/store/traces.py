"""Where work takes its time, for whoever gathers that."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from typing_extensions import override

NOTHING: AbstractContextManager[None] = nullcontext()


class Traces(Protocol):
    """Names are few; what varies stands in attributes, which are never secret."""

    def part(self, name: str) -> AbstractContextManager[None]:
        """A part of the work that goes on in this task or thread; nothing where that is not
        gathered."""
        ...

    def happens(self, name: str, **attributes: str) -> None:
        """Something happens within a part."""

    def happened(
        self, name: str, *, begin_us: int, end_us: int, ordered_by: str, **attributes: str
    ) -> None:
        """Something that took its time has come to an end; it is a part of nothing.

        Args:
            begin_us, end_us: by the database's clock.
            ordered_by: what had it done, as W3C's `traceparent`; empty: that is not known.
        """


class NoTraces(Traces):
    """Gathers nothing."""

    @override
    def part(self, name: str) -> AbstractContextManager[None]:
        return NOTHING

    @override
    def happens(self, name: str, **attributes: str) -> None:
        return

    @override
    def happened(
        self, name: str, *, begin_us: int, end_us: int, ordered_by: str, **attributes: str
    ) -> None:
        return
