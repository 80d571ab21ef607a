"""Options that many commands share, said in the same words."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from control_units.cli.output.writing import HEADERS_KEY
from control_units.cli.times import AsOf

Command = TypeVar("Command", bound=Callable[..., Any])

_OLD_NAME = "--format"


class _Output(click.Option):
    """`-o`; a name of earlier releases is taken, and not told."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return (record[0].replace(f", {_OLD_NAME}", ""), record[1]) if record else None


_OLD_WORDS = {"table": "text", "text": "table"}


class _Formats(click.Choice[str]):
    """Where there is no `table`, the word means text, and the other way round: words of earlier
    releases are taken, and not told."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        is_old = value in _OLD_WORDS and value not in self.choices
        return super().convert(_OLD_WORDS[value] if is_old else value, param, ctx)


LIST_FORMATS = ("table", "wide", "json", "ndjson", "yaml", "csv", "name")


def list_output(command: Command) -> Command:
    """How a list is written: the same words for all lists."""
    return output_option(*LIST_FORMATS)(_no_headers(command))


def show_output(*formats: str) -> Callable[[Command], Command]:
    """How one thing is written: as lists are, or first in a form of its own."""

    def add(command: Command) -> Command:
        return output_option(*formats, *LIST_FORMATS)(_no_headers(command))

    return add


def _no_headers(command: Command) -> Command:
    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        ctx.meta[HEADERS_KEY] = value

    return click.option(
        "--no-headers",
        is_flag=True,
        expose_value=False,
        callback=keep,
        help="No line of headers, in tables and CSV.",
    )(command)


def output_option(*formats: str) -> Callable[[Command], Command]:
    """How to write; the first is what is written unless another one is asked for."""
    return click.option(
        "-o",
        "--output",
        _OLD_NAME,
        "output",
        cls=_Output,
        type=_Formats(formats or ("text", "json")),
        default=(formats or ("text",))[0],
        show_default=True,
        help="How to write.",
    )


def as_of_option(command: Command) -> Command:
    """What was, instead of what is."""
    return click.option(
        "--as-of",
        metavar="REVISION|TIME",
        type=AsOf(),
        default="",
        help="What was then: 120, '2026-11-15 03:12' (local), 2h (ago).",
    )(command)


def reason_option(command: Command) -> Command:
    return click.option("--reason", default="", help="Why, for the history.")(command)


def plan_options(*, skips_invalid: bool = True) -> Callable[[Command], Command]:
    """What all commands can be told that show a plan before they carry it out.

    Args:
        skips_invalid: whether a part of the plan can be left out.
    """
    options = [
        click.option("--dry-run", is_flag=True, help="Show the plan, and write nothing."),
        click.option("-y", "--yes", is_flag=True, help="Do it without asking."),
        reason_option,
        output_option("text", "json"),
        click.option(
            "--detailed-exit-code",
            is_flag=True,
            help="With --dry-run: end with 4 where there is something to do.",
        ),
    ]
    if skips_invalid:
        skip = click.option(
            "--skip-invalid",
            is_flag=True,
            help="Leave out what has problems, and what depends on it, and do the rest.",
        )
        options.insert(2, skip)

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add
