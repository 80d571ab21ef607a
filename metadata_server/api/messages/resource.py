"""What all declared resources have in common on the wire."""

from __future__ import annotations

from typing import Any

from metadata_server.api.messages.position import time_message
from metadata_server.domain.resource import Resource

SET_BY_SERVER = frozenset(
    {
        "name",
        "etag",
        "revision",
        "create_time",
        "update_time",
        "generation",
        "version",
        "versions",
        "zone",
    }
)
"""Fields that no mask changes: identity, and what the store knows by itself."""


def shared_fields(resource: Resource) -> dict[str, Any]:
    """Fields that the messages of all kinds have. What was never stored has no etag."""
    meta = resource.meta
    return {
        "name": resource.name,
        "etag": resource.etag if meta.revision else "",
        "revision": meta.revision,
        "create_time": time_message(meta.create_time_us),
        "update_time": time_message(meta.update_time_us),
        "description": resource.description,
        "labels": resource.labels,
        "properties": resource.properties,
    }


def shared_content(message: Any, id: str) -> dict[str, Any]:
    """Content that all kinds have."""
    return {
        "id": id,
        "description": message.description,
        "labels": dict(message.labels),
        "properties": dict(message.properties),
    }
