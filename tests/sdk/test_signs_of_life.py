"""From when a lease counts, by what its answer says and by what it does not."""

import time

from control_units.signs_of_life import SignsOfLife


def test_an_answer_that_names_its_sign_of_life_counts_from_that() -> None:
    signs = SignsOfLife()
    begun = time.monotonic()
    signs.send()
    named = signs.send()
    signs.send()
    answered = signs.answered(named)
    assert answered is not None
    assert begun - 0.000001 <= answered <= time.monotonic()
    assert round(answered * 1_000_000) == named


def test_an_answer_of_an_older_server_counts_from_the_oldest_that_is_not_answered() -> None:
    signs = SignsOfLife()
    oldest = signs.send()
    later = signs.send()
    assert later >= oldest
    answered = signs.answered(0)
    assert answered is not None
    assert int(answered * 1_000_000) == oldest
    assert signs.answered(0) is None, "this one may be as old as those before"
    last = signs.send()
    answered = signs.answered(0)
    assert answered is not None
    assert int(answered * 1_000_000) == last
