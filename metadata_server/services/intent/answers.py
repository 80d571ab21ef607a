"""What a repeated call about one resource is answered: what the first one was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.store import requests
from metadata_server.store.past import history
from metadata_server.store.unit_of_work import UnitOfWork


def first_answer(unit: UnitOfWork, *, validate_only: bool) -> Resource | None:
    """What the first call with this request id answered; None: this is the first, or a try.

    Raises:
        Refused: REQUEST_ID_REUSED, HISTORY_TRIMMED.
    """
    first = None if validate_only else requests.repeated(unit)
    if first is None:
        return None
    kind = Kind(first.answer["kind"])
    found = history.image_at(unit, kind, first.answer["key"], first.answer["revision"])
    if found is None:
        raise Refused.trimmed(
            "HISTORY_TRIMMED",
            "This request was carried out before; what it answered is no longer kept.",
        )
    return found


def answer_of(resource: Resource) -> Mapping[str, Any]:
    """What is kept of an answer: enough to find the resource's image again."""
    meta = resource.meta
    return {"kind": resource.kind.value, "key": meta.key, "revision": meta.revision}
