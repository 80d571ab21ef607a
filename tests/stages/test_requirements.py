"""Where nothing may be skipped, a test fails for what the machine lacks."""

import pytest

from tests.stages.requirements import needs

LACKS = "kubectl is not here."


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [
        ({}, pytest.skip.Exception),
        ({"CI": "true"}, pytest.fail.Exception),
        ({"CI": "true", "CI_WITHOUT": "multicast"}, pytest.fail.Exception),
        ({"CI": "true", "CI_WITHOUT": "multicast kubectl"}, pytest.skip.Exception),
    ],
)
def test_what_is_missing_is_a_failure_where_nobody_has_excused_it(
    environment: dict[str, str], outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CI", "CI_WITHOUT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(outcome, match=LACKS):
        needs(LACKS)
    needs("")
