"""A token for a facility whose server asks for one: of an admin, who runs it all."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from control_units.client.tokens import FILE_VARIABLE, VARIABLE
from control_units.local_facility.child import mds_command

NAME = "mds-run"
# A longer run is started anew; its token is, too.
DAYS = 90


class NoToken(Exception):
    """None could be made; the text says why, for people."""


def is_wanted() -> bool:
    """Whether the server will ask for tokens, and nobody has given one."""
    asks = os.environ.get("MDS_AUTHENTICATION", "") == "token"
    return asks and not (os.environ.get(VARIABLE) or os.environ.get(FILE_VARIABLE))


async def new_token(environment: Mapping[str, str]) -> str:
    """The text of a new one, of a database that is there.

    Raises:
        NoToken: why not.
    """
    process = await asyncio.create_subprocess_exec(
        *mds_command(),
        *("admin-token", NAME, "--days", str(DAYS)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment),
    )
    text, said = await process.communicate()
    if process.returncode != 0:
        raise NoToken(said.decode(errors="replace").strip())
    return text.decode().strip()


def keep(path: Path, text: str) -> None:
    """In a file that nobody else may read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
