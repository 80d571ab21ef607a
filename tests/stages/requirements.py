"""What a test needs of the machine."""

import os

import pytest


def needs(missing: str) -> None:
    """Skips the test when something is missing (empty: nothing is); with CI=true, where nothing
    may be missing, fails it."""
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
