"""Settings of the server: no secret is shown, and no misspelling goes unnoticed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.environment import unknown_variables
from metadata_server.shown_settings import without_password
from tests.stages.program import Program


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////data/mds.db", "sqlite:////data/mds.db"),
        ("mysql+pymysql://h/mds", "mysql+pymysql://h/mds"),
        ("mysql+pymysql://mds:geheim@h:3306/mds", "mysql+pymysql://mds:***@h:3306/mds"),
        ("mysql+pymysql://mds:ge/h@im@h/mds", "mysql+pymysql://mds:***@h/mds"),
        ("mysql+pymysql://h/mds?password=geheim", "mysql+pymysql://h/mds?password=***"),
        (
            "mysql+pymysql://mds@h/mds?charset=utf8mb4&PASSWD=geheim&ssl_key=/k",
            "mysql+pymysql://mds@h/mds?charset=utf8mb4&PASSWD=***&ssl_key=***",
        ),
        ("mysql+pymysql://mds:ge?him@h/mds", "mysql+pymysql://***"),
        ("mysql+pymysql://h/mds?password=ge@him", "mysql+pymysql://***"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@given(st.text("abc@:/?&=%", max_size=12))
def test_no_password_shows_through(password: str) -> None:
    secret = f"Geheim{password}Geheim"
    for url in (
        f"mysql+pymysql://mds:{secret}@host/mds?charset=utf8mb4",
        f"mysql+pymysql://mds:{secret}@host:3306/mds",
    ):
        assert "Geheim" not in without_password(url)


def test_a_misspelt_setting_is_told_with_the_one_that_it_resembles() -> None:
    environment = {
        "MDS_HEARTBEATS": "1",
        "MDS_DATABSE_URL": "secret",
        "MDS_GRPC_PORT": "1",
        "mds_grpc_port": "1",
        "MDS_WEB_PORT": "1",
        "MDS_FAVOURITE_COLOUR": "red",
        "PATH": "/bin",
    }
    assert [(each.name, each.meant) for each in unknown_variables(environment)] == [
        ("MDS_DATABSE_URL", "MDS_DATABASE_URL"),
        ("MDS_FAVOURITE_COLOUR", ""),
        ("MDS_HEARTBEATS", "MDS_HEARTBEAT_S"),
    ]


@pytest.mark.parametrize("command", ["config", "serve"])
async def test_misspelt_settings_are_told_by_commands(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "absent"  # so that serve ends by itself
    settings = {"MDS_LEASE": "verysecret", "MDS_DATABASE_URL": f"sqlite:///{folder}/x.db"}
    program = Program.mds(command, log=tmp_path / "log", environment=settings)
    program.start()
    try:
        await program.ended(within=30)
    finally:
        program.clear()
    assert "MDS_LEASE is no setting" in program.output()
    assert "did you mean MDS_LEASE_S?" in program.output()
    assert "verysecret" not in program.output()
