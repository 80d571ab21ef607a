"""What a command of !CHAOS is here."""

from __future__ import annotations

from dataclasses import dataclass

from metadata_server.api.chaos.call import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """
    Attributes:
        cmd: as clients write it.
        what: of `parm`, where `cmd` has several; empty: it has one.
        type: of `parm`, of the nodes that it is about; empty: of any.
        of_units: it comes with `dev`.
        with_parm: it is another command without `parm`.
        here: what does the same in the protocol, for people.
        note: what is different here; empty: nothing.
        run: None: this server does not do it, and `here` does.
    """

    cmd: str
    what: str = ""
    type: str = ""
    of_units: bool = False
    with_parm: bool = False
    mutates: bool = False
    here: str
    note: str = ""
    run: Run | None = None

    @property
    def name(self) -> str:
        """As in logs and figures: `node.start.cu`."""
        parts = ("CU" if self.of_units else "MDS", self.cmd, self.what, self.type)
        return ".".join(filter(None, parts)) + (".parm" if self.with_parm else "")


def elsewhere(
    cmd: str, whats: str, here: str, *, type: str = "", of_units: bool = False
) -> list[Command]:
    """Commands that only `here` does.

    Args:
        whats: with spaces between them; empty: the command has none.
    """
    return [
        Command(cmd=cmd, what=what, type=type, of_units=of_units, here=here)
        for what in whats.split() or [""]
    ]
