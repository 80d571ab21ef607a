"""For a moment, what `python -m tests.openapi.fuzz` does for long."""

from pathlib import Path

from tests.openapi.fuzz import SEED, fuzzed

SECONDS = 8


async def test_whatever_is_sent_the_server_answers_as_its_document_says(tmp_path: Path) -> None:
    found, _ = await fuzzed(tmp_path, seconds=SECONDS, phases="fuzzing", seed=SEED)
    assert not found, found[-8000:]
