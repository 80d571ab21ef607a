"""The items of a bundle, written in our own format."""

import json
from collections.abc import Iterable, Sequence

from mds.v1.bundle_pb2 import BundleItem

from control_units.importers.facility.encoding import Plain, encode_resource
from control_units.importers.facility.shape import KINDS
from control_units.importers.facility.yaml_writing import write_yaml


def write_facility(
    items: Iterable[BundleItem], format: str, *, scope: tuple[Sequence[str], str] | None = None
) -> str:
    """One document with a list for each kind that has any, entries in the order of the items.

    Args:
        format: `yaml` or `json`.
        scope: kinds, all where there are none, and prefix of what the items are all of.
    """
    lists: dict[str, list[Plain]] = {kind: [] for kind in KINDS.values()}
    for item in items:
        kind = item.WhichOneof("resource")
        if kind is not None:
            lists[kind].append(encode_resource(getattr(item, kind)))
    document: dict[str, Plain] = {}
    if scope is not None:
        document["scope"] = [_scope(*scope)]
    document.update({name: lists[kind] for name, kind in KINDS.items() if lists[kind]})
    if format == "json":
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return write_yaml(document)


def _scope(kinds: Sequence[str], prefix: str) -> dict[str, Plain]:
    found: dict[str, Plain] = {"kinds": list(kinds)} if kinds else {}
    if prefix or not kinds:
        found["prefix"] = prefix
    return found
