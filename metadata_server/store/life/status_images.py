"""What `status_history` holds, and how it is read back.

An image is small (under 200 bytes without a message), because a boot storm writes three for
each unit: what its row or its session's row knows is left out, hashes are base64url instead of
hexadecimal, and times are told by their distance to the revision's.

Images of kind `control_unit_status` have the fields of `ControlUnitStatus` that are not at
their default, save `id`, `key`, `session`, `revision` and `unit_server`; `age_us` stands for
`state_time_us`, each of `passed` is `[state, age_us, message]`, `recovery` is
`[attempts, in_us, hanging_hook]` with null for no further attempt, and each of `conditions` is
`[type, status, reason, message, age_us, fields]`; `age_us` of null: not known since when.
Images of kind `unit_server_status` hold `contact`, and `end_age_us` with `end_reason` once the
session has ended; all else of a `Session` never changes and stands in its own row.

To read them: rows of `history_with_sessions()`, then `status_of` or `session_of`.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, select

from metadata_server.domain.intent.control_unit import ControlUnitStatus, PassedState
from metadata_server.domain.life.condition import Condition, ConditionStatus
from metadata_server.domain.life.recovery import NO_RECOVERY, Recovery
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.life.state import Contact, State
from metadata_server.store.codec import data_of, text_of
from metadata_server.store.schema import session, status_history

HEX_DIGITS, PACKED_DIGITS = 64, 43
FINGERPRINT_VERSION = "v1:"

SESSION_COLUMNS = tuple(
    session.c[name]
    for name in (
        "unit_server_key",
        "incarnation",
        "host",
        "address",
        "pid",
        "version",
        "classes",
        "start_time_us",
    )
)
"""What a session's row says of it besides its id and its end."""


def history_with_sessions() -> Select[Any]:
    """Images, each with what its session's row says; filter and order it as needed."""
    return select(status_history, *SESSION_COLUMNS).outerjoin(
        session, session.c.id == status_history.c.session
    )


def status_image(status: ControlUnitStatus, time_us: int) -> str:
    """The image of a unit's status at a revision of that time."""
    image: dict[str, Any] = {
        "sequence": status.sequence,
        "state": status.state.value,
        "age_us": time_us - status.state_time_us,
        "message": status.message,
        "passed": [[p.state.value, time_us - p.time_us, p.message] for p in status.passed],
        "reached_generation": status.reached_generation,
        "reached_recover_count": status.reached_recover_count,
        "dataset": packed(status.dataset),
        "fingerprint": packed(status.fingerprint),
        "unfenced": status.unfenced,
        "conditions": condition_images(status.conditions, time_us),
    }
    if status.recovery != NO_RECOVERY:
        image["recovery"] = recovery_image(status.recovery, time_us)
    return text_of({name: value for name, value in image.items() if value})


def recovery_image(recovery: Recovery, time_us: int) -> list[Any]:
    next_us = recovery.next_attempt_us
    return [recovery.attempts, next_us - time_us if next_us else None, recovery.hanging_hook]


def recovery_from(image: list[Any], time_us: int) -> Recovery:
    attempts, in_us, hanging_hook = image
    return Recovery(attempts, 0 if in_us is None else time_us + in_us, hanging_hook)


def status_of(row: Mapping[str, Any], *, id: str, unit_server: str) -> ControlUnitStatus:
    """A unit's status from a row of `history_with_sessions`.

    Args:
        id: of the unit whose key the row has.
        unit_server: id of the unit server of the row's `unit_server_key`.
    """
    image = data_of(row["image"])
    time_us = row["time_us"]
    return ControlUnitStatus(
        id=id,
        key=row["key"],
        unit_server=unit_server,
        session=row["session"],
        sequence=image.get("sequence", 0),
        state=State(image.get("state", State.UNSPECIFIED)),
        state_time_us=time_us - image.get("age_us", 0),
        message=image.get("message", ""),
        passed=tuple(
            PassedState(State(state), time_us - age_us, message)
            for state, age_us, message in image.get("passed", ())
        ),
        reached_generation=image.get("reached_generation", 0),
        reached_recover_count=image.get("reached_recover_count", 0),
        dataset=unpacked(image.get("dataset", "")),
        fingerprint=unpacked(image.get("fingerprint", "")),
        unfenced=image.get("unfenced", False),
        recovery=recovery_from(image["recovery"], time_us) if "recovery" in image else NO_RECOVERY,
        conditions=conditions_from(image.get("conditions", ()), time_us),
        revision=row["revision"],
    )


def condition_images(conditions: Iterable[Condition], time_us: int) -> list[Any]:
    """Conditions as the image of a status at a revision of that time has them."""
    return [
        [
            each.type,
            each.status.value,
            each.reason,
            each.message,
            time_us - each.since_us if each.since_us else None,
            each.fields,
        ]
        for each in conditions
    ]


def conditions_from(images: Iterable[Any], time_us: int) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            type=type_,
            status=ConditionStatus(status),
            reason=reason,
            message=message,
            since_us=0 if age_us is None else time_us - age_us,
            fields=tuple(fields),
        )
        for type_, status, reason, message, age_us, fields in images
    )


def session_image(contact: Contact, time_us: int, end: tuple[int, EndReason] | None = None) -> str:
    """The image of a session at a revision of that time; `end`: when and why it ended."""
    image: dict[str, Any] = {"contact": contact.value}
    if end is not None:
        image |= {"end_age_us": time_us - end[0], "end_reason": end[1].value}
    return text_of(image)


def session_of(row: Mapping[str, Any], *, unit_server: str) -> Session:
    """A session as it was, from a row of `history_with_sessions`.

    Args:
        unit_server: id of the unit server, whose key is the row's `key`.
    """
    image = data_of(row["image"])
    datasets = data_of(row["classes"] or "{}")
    reason = image.get("end_reason")
    return Session(
        id=row["session"],
        unit_server=unit_server,
        unit_server_key=row["key"],
        incarnation=row["incarnation"] or "",
        host=row["host"] or "",
        address=row["address"] or "",
        pid=row["pid"] or 0,
        version=row["version"] or "",
        classes=tuple(datasets),
        datasets={name: found for name, found in datasets.items() if found},
        start_time_us=row["start_time_us"] or 0,
        end_time_us=None if reason is None else row["time_us"] - image["end_age_us"],
        end_reason=None if reason is None else EndReason(reason),
        contact=Contact(image["contact"]),
        revision=row["revision"],
    )


def packed(digest: str) -> str:
    """A SHA-256 in hexadecimal, with or without `v1:`, as base64url; others as they are."""
    version = FINGERPRINT_VERSION if digest.startswith(FINGERPRINT_VERSION) else ""
    digits = digest.removeprefix(version)
    if len(digits) != HEX_DIGITS:
        return digest
    return version + urlsafe_b64encode(bytes.fromhex(digits)).rstrip(b"=").decode()


def unpacked(text: str) -> str:
    version = FINGERPRINT_VERSION if text.startswith(FINGERPRINT_VERSION) else ""
    digits = text.removeprefix(version)
    if len(digits) != PACKED_DIGITS:
        return text
    return version + urlsafe_b64decode(f"{digits}=").hex()
