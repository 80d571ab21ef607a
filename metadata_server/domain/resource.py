"""What all resources that people declare have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar

from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused


@dataclass(frozen=True, slots=True)
class Meta:
    """What the store knows of a resource, apart from its content.

    Attributes:
        key: inner identity, which outlives names; 0: not stored yet.
        generation: counts the changes of its content, from 1.
        revision: of its last change.
        create_time_us: by the database's clock, microseconds since 1970, UTC.
        update_time_us: likewise, of its last change.
    """

    key: int = 0
    generation: int = 0
    revision: int = 0
    create_time_us: int = 0
    update_time_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A declared thing: an id, the store's knowledge of it, and content.

    Two resources have the same content when all fields but `meta` are equal.
    """

    kind: ClassVar[Kind]

    id: str
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    meta: Meta = field(default=Meta(), compare=False)

    @property
    def name(self) -> str:
        return self.kind.name_of(self.id)

    @property
    def etag(self) -> str:
        """Changes with the content; unlike the generation never comes back for a new
        resource of the same id."""
        return str(self.meta.revision)

    def check_etag(self, etag: str) -> None:
        """Passes when `etag` is the current one, or `*`.

        Raises:
            Refused: ETAG_REQUIRED, ETAG_MISMATCH with the current one.
        """
        if etag == "*":
            return
        if not etag:
            raise Refused.etag_required(
                f"Send the etag of {self.name} that you read, or '*' for whatever is there.",
                name=self.name,
            )
        if etag != self.etag:
            raise Refused.etag_mismatch(
                f"{self.name} has changed: its etag is {self.etag}, not {etag[:40]}. "
                "Read it again, then write.",
                name=self.name,
                etag=self.etag,
            )

    def changed_fields(self, other: Resource) -> tuple[str, ...]:
        """Names of the content fields in which two resources of one kind differ."""
        return tuple(
            each.name
            for each in fields(self)
            if each.compare and getattr(self, each.name) != getattr(other, each.name)
        )
