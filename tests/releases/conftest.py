"""The release before, and what ends whatever a test has started."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.releases.release import Release, last_release


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Release:
    release = Release(last_release(), tmp_path_factory.mktemp("release") / "code")
    release.unpack()
    return release


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    """Ends what a test has started, whatever becomes of it."""
    with ExitStack() as stack:
        yield stack
