"""Settings as people see them: where each comes from, and no secret."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from pydantic import SecretStr

from metadata_server.settings import PREFIX, Settings

SECRET = re.compile("pass|pwd|secret|token|key", re.IGNORECASE)
"""Names of options whose values nobody shall read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as `mds config` shows it.

    Attributes:
        source: `environment` or `default`.
    """

    variable: str
    value: str
    source: str
    description: str


def show(settings: Settings) -> list[Shown]:
    """All settings with where they come from, and no secret."""
    shown = []
    for name, field in Settings.model_fields.items():
        variable = f"{PREFIX}{name}".upper()
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = without_password(value.get_secret_value())
        source = "environment" if variable in os.environ else "default"
        shown.append(Shown(variable, str(value), source, field.description or ""))
    return shown


def without_password(url: str) -> str:
    """A database URL whose password cannot be read, wherever it stands."""
    scheme, separator, rest = url.partition("://")
    front, mark, query = rest.partition("?")
    if "@" in query:  # either of the two is part of a password
        return f"{scheme}{separator}***"
    credentials, at, host = front.rpartition("@")
    user, colon, _ = credentials.partition(":")
    hidden = f"{user}:***" if colon else user
    told = "&".join(map(without_secret, query.split("&")))
    return f"{scheme}{separator}{hidden}{at}{host}{mark}{told}"


def without_secret(option: str) -> str:
    """A `name=value` of a URL's query, without its value where that may be a secret."""
    name, equals, _ = option.partition("=")
    return f"{name}{equals}***" if SECRET.search(name) else option
