"""Tokens: what a client shows, so that a server knows who calls, and how one is made."""

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = "MDS_TOKEN"
FILE_VARIABLE = "MDS_TOKEN_FILE"
_SENDABLE = re.compile(r"[!-~]+")


class BadToken(ValueError):
    """What should be a token cannot be one; the text never has it."""


class ShownToken:
    """The token that a client shows: what it was given, else MDS_TOKEN, else what is in the file
    that MDS_TOKEN_FILE names, also when that changes.

    Raises:
        BadToken: it cannot be sent, or the file cannot be read.
    """

    def __init__(self, given: str | None = None) -> None:
        self._path: Path | None = None
        self._written_ns = 0
        self._text = ""
        said = given or os.environ.get(VARIABLE, "")
        if said:
            self._text = _sendable(said, "The token" if given else VARIABLE)
        elif path := os.environ.get(FILE_VARIABLE, ""):
            self._path = Path(path)
            self._read()

    @property
    def text(self) -> str:
        """Empty: none is shown."""
        if self._path is not None:
            try:
                if self._path.stat().st_mtime_ns != self._written_ns:
                    self._read()
            except (OSError, BadToken):
                pass  # between two writings: what was read before may still be good
        return self._text

    @property
    def in_a_shell(self) -> str:
        """What stands for it on a command line, which must not have it; empty: none is shown."""
        if not self._text:
            return ""
        return f'"$(cat "${FILE_VARIABLE}")"' if self._path is not None else f'"${VARIABLE}"'

    def _read(self) -> None:
        assert self._path is not None
        try:
            written_ns = self._path.stat().st_mtime_ns
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise BadToken(f"{FILE_VARIABLE} is {self._path}: {why}.") from None
        self._text = _sendable(text, str(self._path))
        self._written_ns = written_ns


class TokenOfEach:
    """The token of whoever a call is made for, asked for at each call.

    What the environment says is of no account here: who shows no token is nobody, and not this
    program.
    """

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask

    @property
    def text(self) -> str:
        """Empty: none is shown."""
        return self._ask()

    @property
    def in_a_shell(self) -> str:
        """See `ShownToken`."""
        return f'"${VARIABLE}"' if self.text else ""


@dataclass(frozen=True, slots=True)
class NewToken:
    """One that no server knows yet.

    Attributes:
        name: `tokens/{id}`.
        text: what its bearer shows.
        sha256: what servers are told of it.
    """

    name: str
    text: str = field(repr=False)
    sha256: str = field(repr=False)


def a_new_token() -> NewToken:
    """Made here, so that no server ever has to tell one."""
    id = secrets.token_hex(6)
    text = f"mds_{id}_{secrets.token_hex(32)}"
    return NewToken(f"tokens/{id}", text, hashlib.sha256(text.encode()).hexdigest())


def is_sendable(text: str) -> bool:
    """Whether it can go over the wire as a token."""
    return _SENDABLE.fullmatch(text) is not None


def _sendable(said: str, where: str) -> str:
    text = said.strip()
    if not is_sendable(text):
        raise BadToken(f"{where} has no token: right would be one like mds_…, and nothing else.")
    return text
