"""What is said of health where asking for it goes wrong."""

import asyncio

import pytest
from structlog.testing import capture_logs

from metadata_server.api.health import Health
from tests.stages.waiting import until


async def test_a_check_that_fails_unexpectedly_is_logged_once_and_asked_again() -> None:
    checks = 0

    async def check() -> None:
        nonlocal checks
        checks += 1
        if checks in {2, 3}:
            raise KeyError("unexpected")

    health = Health(check, lambda: 0.0)
    with capture_logs() as logs:
        await health.look()
        assert health.is_ready
        running = asyncio.create_task(health.run())
        await until(lambda: checks == 3)
        assert not health.is_ready
        await until(lambda: health.is_ready)
    running.cancel()
    await asyncio.wait([running])
    events = [each["event"] for each in logs]
    assert events.count("health_check_failed") == 1


async def test_who_waits_for_a_turn_says_nothing_of_a_database_that_others_hear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("metadata_server.api.health.PERIOD_S", 0.01)
    monkeypatch.setattr("metadata_server.api.health.SILENCE_S", 0.01)
    turn, silence_s = asyncio.Event(), 0.0
    turn.set()
    health = Health(turn.wait, lambda: silence_s)
    await health.look()
    turn.clear()
    for _ in range(3):
        await health.look()
    assert health.is_ready
    silence_s = 60.0
    await health.look()
    assert not health.is_ready
    turn.set()
    await health.look()
    assert health.is_ready
