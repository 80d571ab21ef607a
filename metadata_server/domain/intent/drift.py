"""Drift: that a unit uses another configuration than the one that it shall use."""

from __future__ import annotations

from collections.abc import Sequence

from metadata_server.domain.difference import tree_differences
from metadata_server.domain.intent import fingerprint
from metadata_server.domain.intent.configuration import Configuration, driver_trees
from metadata_server.domain.life.condition import CONFIG_DRIFT, MOST_FIELDS, Condition
from metadata_server.domain.life.state import State
from metadata_server.domain.tree import Tree

NOT_CONFIGURED = frozenset({State.UNSPECIFIED, State.UNLOADED, State.LOADED})
"""States in which a unit uses no configuration, whatever it used last."""


def uses_configuration(state: State, applied: str) -> bool:
    """Whether a unit uses what its last fingerprint says."""
    return bool(applied) and state not in NOT_CONFIGURED


def not_applied(fields: Sequence[str], since_us: int) -> Condition:
    """A unit uses a configuration that it was given once, and that is not the present one.

    Args:
        fields: all in which the two differ.
    """
    named = ", ".join(fields[:3]) + (f" and {len(fields) - 3} more" if len(fields) > 3 else "")
    return Condition(
        type=CONFIG_DRIFT,
        reason="NotApplied",
        message=f"It still uses an older configuration, which differs in {named}.",
        since_us=since_us,
        fields=tuple(fields[:MOST_FIELDS]),
    )


def unknown_fingerprint(since_us: int) -> Condition:
    """A unit uses something that it was never given here."""
    return Condition(
        type=CONFIG_DRIFT,
        reason="UnknownFingerprint",
        message="It uses a configuration that no declaration of it has ever given.",
        since_us=since_us,
    )


def differing_fields(used: Configuration, intended: Configuration) -> tuple[str, ...]:
    """Paths (`attributes[current].maximum`) of all that makes a difference to what runs, sorted."""
    return tuple(each.path for each in tree_differences(tree_of(used), tree_of(intended)))


def tree_of(configuration: Configuration) -> Tree:
    """What a fingerprint is made of, as a tree."""
    attributes: Tree = {
        each.name: dict(fingerprint.used(each)) for each in configuration.attributes
    }
    return {
        "attributes": attributes,
        "drivers": driver_trees(configuration.drivers),
        "parameters": dict(configuration.parameters),
    }
