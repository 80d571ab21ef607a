"""What `mds` knows of itself: its commands, its kinds, its exit codes, and what was meant."""

import importlib.metadata
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest

from control_units.cli import COMMANDS, main
from control_units.cli.connection import Connection
from control_units.cli.guide import EXIT_CODES, known_commands
from control_units.cli.kinds import KINDS, LISTED, kind_of
from control_units.cli.looking.meaning import comments, load_all, meaning_of
from tests.cli.conftest import run_mds

ROOT = Path(__file__).resolve().parents[2]


@cache
def own_commands() -> dict[str, click.Command]:
    """Commands of this distribution, by name."""
    points = importlib.metadata.entry_points(group=COMMANDS)
    own = [p for p in points if p.dist and p.dist.name == "control-system-metadata-server"]
    context = click.Context(main)
    found = {point.name: main.get_command(context, point.name) for point in own}
    return {name: each for name, each in found.items() if each is not None}


def all_commands() -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []

    def walk(name: str, command: click.Command) -> None:
        found.append((name, command))
        if isinstance(command, click.Group):
            for each, below in command.commands.items():
                walk(f"{name} {each}", below)

    for name, command in own_commands().items():
        walk(name, command)
    return found


def test_the_guide_has_each_command_with_its_own_words() -> None:
    """It is a table of its own so that nothing needs to be loaded for it."""
    told = {name: each.get_short_help_str(200) for name, each in own_commands().items()}
    missing = {name: words for name, words in told.items() if name not in known_commands()}
    assert missing == {}, "control_units/cli/guide.py lacks them"
    wrong = {
        name: words
        for name, words in told.items()
        if known_commands()[name].rstrip(".") != words.rstrip(".")
    }
    assert wrong == {}, "control_units/cli/guide.py has other words"


def examples_of(command: str) -> list[str]:
    """In the help of a command and of all below it."""
    found = [each for name, each in all_commands() if name.split()[0] == command]
    helps = "\n".join(each.help or "" for each in found)
    lines = (line.strip() for line in re.sub(r"\\\n\s*", "", helps).splitlines())
    return sorted({line for line in lines if line.startswith("mds ")})


def test_each_command_has_an_example() -> None:
    servers = {"serve", "migrate", "config", "web"}
    for name, command in all_commands():
        if not isinstance(command, click.Group) and name not in servers:
            assert "  mds " in (command.help or ""), f"mds {name} --help has no example"


# By the guide, which needs no command loaded: each process that collects tests would load all.
@pytest.mark.parametrize("command", known_commands())
def test_examples_are_commands(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All words of them are there; the files that they name are made for it."""
    monkeypatch.chdir(tmp_path)
    for example in examples_of(command):
        try:
            try_words(shlex.split(re.split(r" [|>]", example)[0], comments=True)[1:])
        except click.ClickException as wrong:
            pytest.fail(f"{example}: {wrong.format_message()}")


def try_words(words: list[str]) -> None:
    for word in words:
        if word.endswith("/"):
            Path(word).mkdir(parents=True, exist_ok=True)
        elif re.fullmatch(r"[\w./-]+\.(yaml|json|csv|tsv|txt)", word):
            Path(word).write_text("x")
    command: click.Command = main
    context = click.Context(main, obj=Connection())
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
        if isinstance(command, click.Group):
            context = click.Context(command, parent=context, info_name=name)
    with command.make_context(name, words, parent=context):
        pass  # files that it opened are closed


def test_all_commands_that_only_make_calls_can_tell_them_and_no_other_is_taken_for_one() -> None:
    own = {"serve", "migrate", "config", "web", "run", "simulate", "agent run", "completion"}
    own |= {"admin-token", "backup", "discover", "restore"}
    for name, command in all_commands():
        if not isinstance(command, click.Group):
            can_tell = any("--as-curl" in each.opts for each in command.params)
            assert can_tell is (name not in own), name


def test_exit_codes_are_the_same_in_help_and_reference() -> None:
    page = (ROOT / "docs" / "reference" / "command-line.md").read_text()
    for code, means in EXIT_CODES.items():
        assert f"| {code} | {means} |" in page


async def test_what_was_meant_is_offered() -> None:
    for words, meant in (
        (("improt",), "import"),
        (("operation", "lits"), "list"),
        (("list", "templtes"), "templates"),
        (("list", "--prefx", "A"), "--prefix"),
        (("explain", "control-unit.levle"), "level"),
    ):
        ended = await run_mds(*words)
        assert (ended.code, f"'{meant}'" in ended.err or meant in ended.err) == (2, True), words
        assert "Did you mean" in ended.err


def test_help_loads_no_command() -> None:
    program = (
        "import sys; from control_units.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "slow = {'grpc', 'google.protobuf', 'rich', 'yaml', 'pydantic', 'metadata_server.commands'}\n"
        "sys.exit(', '.join(slow & set(sys.modules)) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("cu", "control_units"),
        ("control-unit", "control_units"),
        ("ControlUnits", "control_units"),
        ("units", "control_units"),
        ("us", "unit_servers"),
        ("policy", "policies"),
        ("template", "templates"),
        ("machine-modes", "machine_modes"),
        ("op", "operations"),
        ("change-sets", "change_sets"),
        ("nonsense", None),
    ],
)
def test_a_kind_is_known_by_its_noun_in_any_spelling(word: str, kind: str | None) -> None:
    assert kind_of(word) == kind


def test_every_kind_is_explained() -> None:
    for kind in LISTED:
        found = meaning_of(kind)
        assert found.told, kind
        assert all(told for _, _, told in found.parts), kind


def test_fields_are_explained_at_any_depth() -> None:
    found = meaning_of("control-unit.overrides.minimum")
    assert (found.type, found.told) == ("string", "Smallest value allowed.")
    assert meaning_of("cu.labels").type == "map of string to string"
    assert meaning_of("unitServer.launch").parts
    assert "STATE_RUNNING" in {name for name, _, _ in meaning_of("cu.desiredState").parts}
    with pytest.raises(click.UsageError, match="Did you mean 'level'"):
        meaning_of("cu.levle")


def test_reasons_of_refusals_are_explained() -> None:
    assert "HTTP 412" in meaning_of("ETAG_MISMATCH").told


def test_the_comments_that_are_shipped_are_those_of_the_whole_protocol() -> None:
    load_all()
    names = {name.split(".")[2] for name in comments()}
    assert {"ControlUnits", "ControlUnit", "State", "Watch", "ErrorReason"} <= names
    assert len(KINDS) <= len(names)
