"""Keys of all kinds that people declare but control units: of unit servers and agents also what
they last said, so that one filter asks for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from metadata_server.domain.filter.common_keys import common_keys
from metadata_server.domain.filter.facility_keys import OWN_KEYS, SESSION_KEYS
from metadata_server.domain.filter.key import Facts, FilterKey
from metadata_server.domain.filter.subject import ProgramSubject
from metadata_server.domain.filter.told_keys import AGENT_STATUS_KEYS
from metadata_server.domain.names import DECLARED, Kind


def declared(subject: Any) -> Any:
    return subject.declared if isinstance(subject, ProgramSubject) else subject


def of_declared(key: FilterKey) -> FilterKey:
    def read(subject: Any) -> Facts:
        return key.of(declared(subject))

    return replace(key, of=read)


def of_said(key: FilterKey) -> FilterKey:
    """A key of what a program last said, of which a list of what is declared knows the present."""

    def read(subject: ProgramSubject) -> Facts:
        return key.of(subject.said)

    return replace(key, of=read, is_past=False, is_watched=False)


def named(keys: tuple[FilterKey, ...], *names: str) -> dict[str, FilterKey]:
    return {key.name: key for key in keys if key.name in names}


_OF_SERVERS = named(SESSION_KEYS, "contact", "host", "address", "version", "started", "ended")
_OF_AGENTS = named(AGENT_STATUS_KEYS, "contact", "host", "version", "started", "reported")
# What people declare of an agent has a host, too.
_OF_AGENTS["host"] = replace(_OF_AGENTS["host"], name="runs_on", meaning="host that it last ran on", example="runs_on:node*")  # fmt: skip

SAID_KEYS: Mapping[Kind, tuple[FilterKey, ...]] = {
    Kind.UNIT_SERVER: tuple(map(of_said, _OF_SERVERS.values())),
    Kind.AGENT: tuple(map(of_said, _OF_AGENTS.values())),
}
"""Of what unit servers and agents last said."""

DECLARED_KEYS: Mapping[Kind, tuple[FilterKey, ...]] = {
    kind: (
        *common_keys(declared),
        *map(of_declared, OWN_KEYS.get(kind, ())),
        *SAID_KEYS.get(kind, ()),
    )
    for kind in DECLARED
    if kind is not Kind.CONTROL_UNIT
}
