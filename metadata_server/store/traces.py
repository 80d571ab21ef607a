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


class NoTraces(Traces):
    """Gathers nothing."""

    @override
    def part(self, name: str) -> AbstractContextManager[None]:
        return NOTHING

    @override
    def happens(self, name: str, **attributes: str) -> None:
        return
