"""A bundle of what was imported, on its way to a server."""

from collections.abc import Sequence

from mds.v1.bundle_pb2 import BundleItem

from control_units.client.bundles import (
    CHUNK_BYTES,
    LARGEST_ITEM_BYTES,
    PATIENCE_S,
    Outcome,
    Progress,
    apply_bundle,
    chunks,
    outcome_of,
)
from control_units.importers.findings import Findings

__all__ = [
    "CHUNK_BYTES",
    "LARGEST_ITEM_BYTES",
    "PATIENCE_S",
    "Outcome",
    "Progress",
    "apply_bundle",
    "chunks",
    "outcome_of",
    "without_oversized",
]


def without_oversized(items: Sequence[BundleItem], findings: Findings) -> list[BundleItem]:
    """Those that fit into a message; the others are problems."""
    fitting = []
    for item in items:
        size = item.ByteSize()
        if size <= LARGEST_ITEM_BYTES:
            fitting.append(item)
            continue
        kind = item.WhichOneof("resource") or ""
        findings.problem(
            item.source,
            f"at most {LARGEST_ITEM_BYTES} bytes in one resource",
            value=f"{size} bytes",
            reason="MESSAGE_TOO_LARGE",
            name=item.removed or getattr(item, kind).name,
        )
    return fitting
