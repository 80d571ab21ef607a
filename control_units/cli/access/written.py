"""Tokens as they are written: told once, and named by people."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mds.v1.token_pb2 import Token

_ID = re.compile(r"(?:tokens/)?([a-z0-9]{12})")
_SECRET = re.compile(r"mds_[a-z0-9]{12}_")


class TokenName(click.ParamType[str]):
    """An id, which becomes `tokens/{id}`, or somebody's name; never the token itself."""

    name = "token"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        if _SECRET.match(text):
            self.fail(
                "that is a token itself, which is now in the history of your shell: revoke it by "
                f"its id, {text[4:16]}, all the same.",
                param,
                ctx,
            )
        found = _ID.fullmatch(text)
        return f"tokens/{found[1]}" if found else text


def one_of(principal: str, tokens: "Sequence[Token]") -> str:
    """The name of somebody's only token.

    Raises:
        click.ClickException: there is none, or there are several.
    """
    if len(tokens) == 1:
        return tokens[0].name
    if not tokens:
        raise click.ClickException(f"{principal} has no token that is good; `mds token list --all`")
    ids = ", ".join(each.name.removeprefix("tokens/") for each in tokens)
    raise click.ClickException(f"{principal} has {len(tokens)} tokens; say which one: {ids}")


@contextmanager
def reserved(path: Path | None) -> Iterator[IO[str] | None]:
    """A new file that only its owner may read, made before the token is; taken away again where
    that fails.

    Raises:
        click.ClickException: it is there already, or cannot be made.
    """
    if path is None:
        yield None
        return
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    try:
        with os.fdopen(number, "w", encoding="ascii") as file:
            yield file
    except BaseException:  # also an interrupt: an empty file is no token
        path.unlink(missing_ok=True)
        raise


def write_secret(text: str, file: IO[str] | None) -> None:
    if file is None:
        click.echo(text)
    else:
        file.write(f"{text}\n")
