"""What the environment may say, and how it is told that it says something else."""

import pytest
from click.testing import CliRunner

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
def test_beyond_loopback_somebody_must_be_asked(host: str) -> None:
    assert Settings(web_host=host).entrance.must_ask
    assert not Settings(web_host=host, insecure=True).entrance.must_ask


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_loopback_has_many_names(host: str) -> None:
    assert not Settings(web_host=host).entrance.must_ask


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MDS_WEB_PORT", "http"),
        ("MDS_WEB_PORT", "70000"),
        ("MDS_WEB_BROWSERS", "0"),
        ("MDS_LOG_LEVEL", "loud"),
        ("MDS_LOG_FORMAT", "xml"),
        ("MDS_ADDRESS", "host:port"),
        ("MDS_WEB_PROXIES", "10.0.0.1/8"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_value(name: str, value: str) -> None:
    result = CliRunner().invoke(web, env={name: value})
    assert result.exit_code == 2
    assert value in result.output
    if name != "MDS_ADDRESS":  # its message shows the address as it should be
        assert name in result.output
