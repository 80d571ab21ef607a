"""Audits: looks for what is odd in a facility, a piece at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from functools import partial
from inspect import getdoc

from metadata_server.domain.audit import Audited, Finding, chosen
from metadata_server.domain.change import Position
from metadata_server.services.auditing.audit_checks import CHECKS
from metadata_server.services.auditing.audit_pieces import Asked
from metadata_server.services.life.configurations import Configurations
from metadata_server.store.store import Store


@dataclass(frozen=True, slots=True)
class Found:
    """What one piece of a check gave; `position`: that it was read at."""

    check: str
    findings: tuple[Finding, ...]
    position: Position


class Audits:
    """Runs checks; each piece is a short reading of its own, so that an audit of a large
    facility holds nothing up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._configurations = Configurations()

    def descriptions(self) -> dict[str, str]:
        """What each check looks for, by name, sorted."""
        return {name: getdoc(CHECKS[name]) or "" for name in sorted(CHECKS)}

    async def run(self, names: Collection[str], audited: Audited) -> AsyncGenerator[Found, None]:
        """What the checks find, by check, then by name; no names: all checks.

        Raises:
            Refused: INVALID_FIELD; DATABASE_UNAVAILABLE.
        """
        for name in chosen(names, CHECKS.keys()):
            check, after = CHECKS[name], ""
            while True:
                asked = Asked(audited, after, self._configurations)
                answer = await self._store.read(partial(check, asked=asked))
                yield Found(name, answer.value.findings, answer.position)
                if answer.value.after is None:
                    break
                after = answer.value.after
