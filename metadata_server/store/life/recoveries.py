"""The column of a status that tells how its unit server deals with it; empty for nearly all."""

from __future__ import annotations

from metadata_server.domain.life.recovery import NO_RECOVERY, Recovery
from metadata_server.store.codec import data_of, text_of


def recovery_text(recovery: Recovery) -> str:
    return "" if recovery == NO_RECOVERY else text_of(recovery._asdict())


def recovery_of(text: str) -> Recovery:
    return Recovery(**data_of(text)) if text else NO_RECOVERY
