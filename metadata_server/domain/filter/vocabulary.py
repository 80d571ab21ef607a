"""All keys of all kinds: the one table that the parser, SQL, documents and completion stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from metadata_server.domain.filter.common_keys import by_name
from metadata_server.domain.filter.declared_keys import DECLARED_KEYS
from metadata_server.domain.filter.facility_keys import SESSION_KEYS
from metadata_server.domain.filter.faults import nearest, one_of
from metadata_server.domain.filter.key import FilterKey, Vocabulary
from metadata_server.domain.filter.record_keys import (
    CHANGE_KEYS,
    CHANGE_SET_KEYS,
    DELIVERY_KEYS,
    INSTANTIATION_KEYS,
    OPERATION_KEYS,
    SIGHTING_KEYS,
    STEP_KEYS,
)
from metadata_server.domain.filter.told_keys import (
    AGENT_STATUS_KEYS,
    CAMPAIGN_SUMS_KEYS,
    LIVE_VALUE_KEYS,
    VERSION_KEYS,
    WEBHOOK_STATUS_KEYS,
)
from metadata_server.domain.filter.unit_keys import declared_keys, reported_keys
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField

OTHERS = {"is_watched": False}
"""Of what another resource tells than the one that is watched."""

CHANGE_SET, CHANGE, SIGHTING = "change_set", "change", "sighting"
OPERATION_STEP, INSTANTIATION = "operation_step", "instantiation"
WEBHOOK_DELIVERY, WEBHOOK_STATUS = "webhook_delivery", "webhook_status"
AGENT_STATUS, CAMPAIGN_SUMS = "agent_status", "campaign_sums"
TEMPLATE_VERSION, LIVE_VALUES = "template_version", "live_values"


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
        *(
            Vocabulary(word, plural, by_name(map(unwatched, keys)), identity, order)
            for word, plural, keys, identity, order in (
                (Kind.OPERATION, "operations", OPERATION_KEYS, "id", "created desc"),
                (OPERATION_STEP, "steps", STEP_KEYS, "control_unit", "position"),
                (CHANGE_SET, "change sets", CHANGE_SET_KEYS, "reason", "revision desc"),
                (CHANGE, "changes", CHANGE_KEYS, "reason", "revision desc"),
                (SIGHTING, "sightings", SIGHTING_KEYS, "unit_server", "last desc"),
                (INSTANTIATION, "instantiations", INSTANTIATION_KEYS, "control_unit", "begin desc"),
                (WEBHOOK_DELIVERY, "deliveries", DELIVERY_KEYS, "id", "number desc"),
                (WEBHOOK_STATUS, "webhook statuses", WEBHOOK_STATUS_KEYS, "webhook", ""),
                (AGENT_STATUS, "agent statuses", AGENT_STATUS_KEYS, "agent", ""),
                (CAMPAIGN_SUMS, "sums of campaigns", CAMPAIGN_SUMS_KEYS, "campaign", ""),
                (TEMPLATE_VERSION, "versions of templates", VERSION_KEYS, "description", "version"),
                (LIVE_VALUES, "live values", LIVE_VALUE_KEYS, "control_unit", ""),
            )
        ),
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
