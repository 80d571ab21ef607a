"""Variables of the environment that look like settings, and are none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from metadata_server.settings import PREFIX, Settings

READ_ELSEWHERE = frozenset(
    {
        "MDS_ADDRESS",
        "MDS_HTTP_ADDRESS",
        "MDS_METRICS_HOST",
        "MDS_METRICS_PORT",
        "MDS_PRINCIPAL",
        "MDS_STATE_FOLDER",
        "MDS_TOKEN",
        "MDS_TOKEN_FILE",
        "MDS_WEB_BROWSERS",
        "MDS_WEB_HOST",
        "MDS_WEB_HOSTS",
        "MDS_WEB_LANGUAGE",
        "MDS_WEB_PORT",
        "MDS_WEB_PROXIES",
        "MDS_WEB_REQUESTS",
    }
)
"""What the page, the command line and unit servers read."""
CLOSE = 0.7
"""How much of a name must be alike, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class UnknownVariable:
    """A variable that no program reads; `meant` is the setting that it resembles, if any."""

    name: str
    meant: str

    @property
    def advice(self) -> str:
        """Never with the value: it may be a secret."""
        question = f"; did you mean {self.meant}?" if self.meant else ""
        return f"{self.name} is no setting and changes nothing{question}"


def unknown_variables(
    environment: Mapping[str, str], *, elsewhere: Collection[str] = READ_ELSEWHERE
) -> list[UnknownVariable]:
    """Variables that begin like settings, sorted by name."""
    known = sorted({f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {*elsewhere})
    return [
        UnknownVariable(name, resembled(name, known))
        for name in sorted(environment)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    ]


def resembled(name: str, known: Collection[str]) -> str:
    """The one that a name was probably meant to be; empty: none."""
    own = {each.removeprefix(PREFIX): each for each in known}
    found = get_close_matches(name.upper().removeprefix(PREFIX), own, n=1, cutoff=CLOSE)
    return own[found[0]] if found else ""
