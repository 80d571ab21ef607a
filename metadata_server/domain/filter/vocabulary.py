"""All keys of all kinds: the one table that the parser, SQL, documents and completion stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from metadata_server.domain.filter.common_keys import by_name
from metadata_server.domain.filter.facility_keys import DECLARED_KEYS, SESSION_KEYS
from metadata_server.domain.filter.faults import nearest, one_of
from metadata_server.domain.filter.key import FilterKey, Vocabulary
from metadata_server.domain.filter.record_keys import (
    CHANGE_KEYS,
    CHANGE_SET_KEYS,
    OPERATION_KEYS,
    SIGHTING_KEYS,
)
from metadata_server.domain.filter.unit_keys import declared_keys, reported_keys
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField

OTHERS = {"is_watched": False}
"""Of what another resource tells than the one that is watched."""

CHANGE_SET, CHANGE, SIGHTING = "change_set", "change", "sighting"


def unwatched(key: FilterKey) -> FilterKey:
    """Of what no watch takes a filter of."""
    return replace(key, is_watched=False)


VOCABULARIES: Mapping[str, Vocabulary] = {
    vocabulary.word: vocabulary
    for vocabulary in (
        Vocabulary(
            Kind.CONTROL_UNIT,
            "control units",
            by_name((*declared_keys(), *reported_keys(**OTHERS))),
        ),
        Vocabulary(
            Kind.CONTROL_UNIT_STATUS,
            "control unit statuses",
            by_name((*declared_keys(**OTHERS), *reported_keys())),
        ),
        *(
            Vocabulary(kind, kind.collection.replace("_", " "), by_name(keys))
            for kind, keys in DECLARED_KEYS.items()
        ),
        Vocabulary(
            Kind.UNIT_SERVER_STATUS, "unit server statuses", by_name(map(unwatched, SESSION_KEYS))
        ),
        Vocabulary(Kind.OPERATION, "operations", by_name(map(unwatched, OPERATION_KEYS))),
        Vocabulary(CHANGE_SET, "change sets", by_name(map(unwatched, CHANGE_SET_KEYS)), "reason"),
        Vocabulary(CHANGE, "changes", by_name(map(unwatched, CHANGE_KEYS)), "reason"),
        Vocabulary(SIGHTING, "sightings", by_name(map(unwatched, SIGHTING_KEYS)), "unit_server"),
    )
}


def vocabulary_of(word: str, *, field: str = "kind") -> Vocabulary:
    """The keys of a kind.

    Raises:
        Refused: INVALID_FIELD.
    """
    found = VOCABULARIES.get(word)
    if found is None:
        meant = nearest(word, VOCABULARIES)
        expected = (
            f"{meant}, perhaps; or another {one_of(VOCABULARIES)}"
            if meant
            else one_of(VOCABULARIES)
        )
        raise Refused.wrong_fields([WrongField(field, word, expected)])
    return found
