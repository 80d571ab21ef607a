"""The reference of settings says what the programs read."""

import re
from pathlib import Path

import click
import pytest
from pydantic_settings import BaseSettings

from control_units.cli import main
from metadata_server.environment import READ_ELSEWHERE
from metadata_server.settings import Settings as ServerSettings
from webui.settings import Settings as PageSettings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"
ROW = re.compile(r"^\| `(MDS_[A-Z_]+)` \| `([^`]*)` \|", re.MULTILINE)
# Their defaults depend on the machine.
OWN_WORDS = {"MDS_DATABASE_URL", "MDS_REPLICA"}
COMMAND_LINE = {option.envvar for option in main.params if isinstance(option, click.Option)}


def documented() -> dict[str, str]:
    return dict(ROW.findall(PAGE.read_text()))


def read_by(settings: type[BaseSettings]) -> dict[str, str]:
    prefix = settings.model_config["env_prefix"]
    return {
        f"{prefix}{name}".upper(): as_text(field.default)
        for name, field in settings.model_fields.items()
    }


def as_text(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


@pytest.mark.parametrize("settings", [ServerSettings, PageSettings])
def test_every_setting_is_documented_with_its_default(settings: type[BaseSettings]) -> None:
    page = documented()
    for variable, default in read_by(settings).items():
        assert variable in page, f"{variable} is not in {PAGE.name}"
        if variable not in OWN_WORDS:
            assert page[variable] == default, variable


def test_nothing_is_documented_that_nobody_reads() -> None:
    read = {*read_by(ServerSettings), *read_by(PageSettings), *COMMAND_LINE}
    assert set(documented()) - read == set()


def test_the_server_knows_what_others_read() -> None:
    rows = re.findall(r"^\| `(MDS_[A-Z_]+)`", PAGE.read_text(), re.MULTILINE)
    assert set(rows) - set(read_by(ServerSettings)) == READ_ELSEWHERE


def test_every_variable_of_the_command_line_is_documented() -> None:
    assert COMMAND_LINE - {None} <= set(documented())
