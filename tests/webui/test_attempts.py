"""Who fails to log in waits; nobody else does, and nobody fills the memory."""

import pytest

from webui.access import attempts
from webui.access.attempts import Attempts, TooMany
from webui.access.entrance import Entrance, networks


def test_each_attempt_that_fails_doubles_the_wait_of_the_next_ones() -> None:
    tries = Attempts()
    waits = [tries.begin("a") for _ in range(5)]
    assert waits == pytest.approx([0, 0, 0.5, 1.5, 3.5], abs=0.1)
    assert tries.begin("b") == 0


def test_many_at_once_are_sent_away() -> None:
    tries = Attempts()
    for _ in range(6):
        tries.begin("a")
    with pytest.raises(TooMany) as many:
        tries.begin("a")
    assert many.value.seconds > attempts.PATIENCE_SECONDS


def test_who_succeeds_has_never_failed() -> None:
    tries = Attempts()
    for _ in range(5):
        tries.begin("a")
    tries.succeeded("a")
    assert tries.begin("a") == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST", 2)
    tries = Attempts()
    for _ in range(4):
        tries.begin("a")
    tries.begin("b")
    tries.begin("c")
    assert tries.begin("a") == 0


def test_networks_are_read_with_or_without_a_mask() -> None:
    assert Entrance(proxies=networks("10.0.0.5, 10.1.0.0/16,")).proxies == networks(
        "10.0.0.5/32,10.1.0.0/16"
    )
    assert networks("") == ()
