"""Deliveries of webhooks: what is sent, what comes of it, and when it is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from metadata_server.domain.change import Position
from metadata_server.domain.deliveries.signature import Secret

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
LONGEST_RETRY_AFTER_S = 3600.0
SHOWN_BYTES = 200
"""So much of an answer is kept."""
GONE = 410


class DeliveryType(StrEnum):
    """What is delivered."""

    CHANGES = "CHANGES"
    MISSED = "MISSED"
    PING = "PING"
    REDELIVERY = "REDELIVERY"


class DeliveryState(StrEnum):
    """How a delivery stands."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class WebhookState(StrEnum):
    """How a webhook stands."""

    DELIVERING = "DELIVERING"
    FAILING = "FAILING"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try.

    Attributes:
        http_status: of the answer; 0: there was none.
        error: what went wrong, for people; empty: it has arrived.
        retry_after_s: that the receiver asked for; None: it did not.
    """

    http_status: int
    duration_us: int
    error: str = ""
    retry_after_s: float | None = None

    @property
    def has_arrived(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery with all its tries.

    Attributes:
        number: counts the deliveries of a webhook, from 1.
        id: the same at each try, by whichever replica.
        after: it has what happened after this position.
        position: up to this one.
        attempt_time_us: of the last try; 0: there was none.
        http_status: of the last answer; 0: there was none.
        redelivery_of: id of what is sent once more.
    """

    webhook_key: int
    number: int
    id: str
    type: DeliveryType
    state: DeliveryState = DeliveryState.PENDING
    after: Position
    position: Position
    events: int = 0
    create_time_us: int = 0
    attempt_time_us: int = 0
    attempts: int = 0
    http_status: int = 0
    duration_us: int = 0
    error: str = ""
    replica: str = ""
    redelivery_of: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """What a webhook never sent, because it was not kept long enough.

    Attributes:
        after: everything up to here was delivered.
        position: it goes on after this one.
    """

    reason: str
    after: Position
    position: Position
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How far a webhook is.

    Attributes:
        position: everything up to here that passes has been delivered.
        fence: the number that the replica got that delivers now, or last.
        replica: that delivers; empty: none does.
        number: of the newest delivery.
        failing_since_us: 0: it does not fail.
        next_time_us: when it is tried again, where it fails.
    """

    key: int
    position: Position
    fence: int = 0
    replica: str = ""
    number: int = 0
    delivery_time_us: int = 0
    failing_since_us: int = 0
    next_time_us: int = 0
    attempts: int = 0
    http_status: int = 0
    error: str = ""
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """How a webhook stands.

    Attributes:
        course: None: no replica has looked at it yet.
        secrets: the newest first.
    """

    id: str
    enabled: bool
    course: Course | None
    secrets: tuple[Secret, ...] = ()

    @property
    def state(self) -> WebhookState:
        if not self.enabled:
            return WebhookState.DISABLED
        is_failing = self.course is not None and self.course.failing_since_us
        return WebhookState.FAILING if is_failing else WebhookState.DELIVERING


def pause_s(failures: int, retry_after_s: float | None) -> float:
    """How long to wait after so many failures in a row: full jitter, so that receivers that come
    back are not met by all senders at once; never sooner than the receiver asked for."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 30))
    pause = random.uniform(0, longest)
    if retry_after_s is None:
        return pause
    return min(retry_after_s, LONGEST_RETRY_AFTER_S) + pause
