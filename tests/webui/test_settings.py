"""What the environment may say, and how it is told that it says something else."""

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from control_units.client import DEFAULT_ADDRESS
from webui.commands import web
from webui.settings import Settings


def test_by_default_it_stays_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MDS_WEB_HOST", "MDS_WEB_PORT"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings()
    assert (settings.web_host, settings.web_port) == ("127.0.0.1", 7402)


def test_an_address_of_nothing_is_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDS_ADDRESS", "")
    assert Settings().address == DEFAULT_ADDRESS


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "control-room.example", ""])
def test_it_refuses_to_listen_beyond_loopback(host: str) -> None:
    with pytest.raises(ValidationError, match="MDS_INSECURE=1"):
        Settings(web_host=host)
    assert Settings(web_host=host, insecure=True).web_host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_loopback_has_many_names(host: str) -> None:
    assert Settings(web_host=host).web_host == host


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MDS_WEB_PORT", "http"),
        ("MDS_WEB_PORT", "70000"),
        ("MDS_WEB_BROWSERS", "0"),
        ("MDS_LOG_LEVEL", "loud"),
        ("MDS_ADDRESS", "host:port"),
        ("MDS_WEB_HOST", "0.0.0.0"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_value(name: str, value: str) -> None:
    result = CliRunner().invoke(web, env={name: value})
    assert result.exit_code == 2
    assert value in result.output
    if name != "MDS_ADDRESS":  # its message shows the address as it should be
        assert name in result.output
