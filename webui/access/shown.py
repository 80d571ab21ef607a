"""The token of whoever the present request is made for."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Empty in all that is done for nobody: it never becomes the page's own token.
_SHOWN: ContextVar[str] = ContextVar("token", default="")


def shown_token() -> str:
    return _SHOWN.get()


def show_token(text: str) -> None:
    """For what is left of this task, and for those it begins."""
    _SHOWN.set(text)


@contextmanager
def showing(text: str) -> Iterator[None]:
    before = _SHOWN.set(text)
    try:
        yield
    finally:
        _SHOWN.reset(before)
