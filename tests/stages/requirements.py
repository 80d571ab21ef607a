"""What a test needs of the machine."""

import os

import pytest


def needs(missing: str) -> None:
    """Skips the test when something is missing (empty: nothing is). With CI=true, where nothing may
    be, it fails instead, unless CI_WITHOUT has a word of what is missing: what this machine cannot
    have."""
    excused = set(os.environ.get("CI_WITHOUT", "").split())
    if missing and os.environ.get("CI") == "true" and excused.isdisjoint(missing.split()):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
