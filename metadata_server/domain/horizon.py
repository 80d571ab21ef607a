"""Whether the changes after a position can still be told."""

from __future__ import annotations

from metadata_server.domain.change import Position
from metadata_server.domain.refused import Refused


def check_position(wanted: Position, present: Position, *, kept_from: int = 0) -> None:
    """Passes when `wanted` lies in the history that `present` ends.

    Args:
        kept_from: everything that happened after this revision is still kept.

    Raises:
        Refused: HISTORY_RESET, when it is of another store or epoch, or lies ahead of what the
            store knows; HISTORY_TRIMMED, when what came after it is not kept any more.
    """
    if (wanted.store_id, wanted.epoch) != (present.store_id, present.epoch):
        raise history_reset(
            f"The position is of store {wanted.store_id[:40]!r}, epoch {wanted.epoch}; this is "
            f"store {present.store_id!r}, epoch {present.epoch}. Read everything again.",
            present,
        )
    if wanted.revision > present.revision:
        raise history_reset(
            f"The position has revision {wanted.revision}; this store has come to "
            f"{present.revision} only. Read everything again.",
            present,
        )
    if wanted.revision < kept_from:
        raise Refused.trimmed(
            "HISTORY_TRIMMED",
            f"What changed after revision {wanted.revision} is not kept any more; it is from "
            f"{kept_from} on. Read everything again.",
            revision=wanted.revision,
            kept_from=kept_from,
        )


def history_reset(message: str, present: Position) -> Refused:
    return Refused.trimmed(
        "HISTORY_RESET",
        message,
        store_id=present.store_id,
        epoch=present.epoch,
        revision=present.revision,
    )
