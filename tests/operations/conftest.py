"""A section of an accelerator on one real replica."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.operations.section import PowerSupply, Section
from tests.stages.replica import Replica


@pytest.fixture
async def section(replica: Replica, tmp_path: Path) -> AsyncIterator[Section]:
    PowerSupply.heal()
    found = Section(replica.address, tmp_path)
    yield found
    PowerSupply.heal()
    await found.client.close()
