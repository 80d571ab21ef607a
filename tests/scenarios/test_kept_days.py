"""For how long the history of each kind is kept, as the environment says it."""

import pytest

from metadata_server.domain.names import DECLARED, Kind
from metadata_server.settings import BadSettings, Settings, load_settings


def test_history_is_kept_for_ever_unless_somebody_says_otherwise() -> None:
    kept = Settings().kept_days()
    assert {kept[kind] for kind in DECLARED} == {0.0}
    assert kept[Kind.CONTROL_UNIT_STATUS] == kept[Kind.UNIT_SERVER_STATUS] == 400.0


def test_single_kinds_are_kept_for_a_time_of_their_own() -> None:
    settings = Settings(history_days=365, history_days_by_kind="snapshot=30, variable=0.5,agent=0")
    kept = settings.kept_days()
    assert kept[Kind.SNAPSHOT] == 30
    assert kept[Kind.VARIABLE] == 0.5
    assert kept[Kind.AGENT] == 0
    assert kept[Kind.CONTROL_UNIT] == 365


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("snapshots=30", "snapshots=30"),
        ("snapshot=30,variable", "variable"),
        ("snapshot=-1", "snapshot=-1"),
        ("snapshot=nan", "snapshot=nan"),
        ("control_unit_status=3", "control_unit_status=3"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, text: str, part: str
) -> None:
    monkeypatch.setenv("MDS_HISTORY_DAYS_BY_KIND", text)
    with pytest.raises(BadSettings) as refused:
        load_settings()
    assert f"MDS_HISTORY_DAYS_BY_KIND has '{part}'; right would be" in str(refused.value)
