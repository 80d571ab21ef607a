"""The command line: one program, `mds`, whose commands come from the entry-point group
`mds.commands`, so that each part of the project brings its own."""

import errno
import os
import sys
from importlib.metadata import EntryPoint, entry_points, version
from typing import Any

import click
from click.shell_completion import CompletionItem

from control_units.cli.connection import Connection
from control_units.cli.curl.option import with_curl
from control_units.cli.guide import EXIT_CODES, GROUPS, known_commands

COMMANDS = "mds.commands"
DISTRIBUTION = "control-system-metadata-server"
INTERRUPTED = 130
COMPLETING = "_MDS_COMPLETE"
"""Variable by which a shell asks what it may offer."""


class Commands(click.Group):
    """A group whose commands are loaded when they are asked for. One that cannot be loaded is
    named with its fault, and stops no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(point.name for point in _points())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        point = next((point for point in _points() if point.name == cmd_name), None)
        return own if own is not None or point is None else with_curl(_load(point))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as wrong:
            raise click.NoSuchCommand(
                wrong.command_name, possibilities=self.list_commands(ctx), ctx=ctx
            ) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands with what they do, without loading them, then options."""
        known = known_commands()
        found = [
            CompletionItem(name, help=known.get(name))
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(self, *args: Any, **extra: Any) -> Any:
        if COMPLETING in os.environ:
            from control_units.cli.completion.bash import register

            register()
        return super().main(*args, **extra)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Grouped by what people want. Only commands of other packages are loaded for it."""
        there = self.list_commands(ctx)
        for title, commands in GROUPS.items():
            rows = [(name, told) for name, told in commands.items() if name in there]
            _write_group(formatter, title, rows, width=max(map(len, there)))
        others = [name for name in there if name not in known_commands()]
        loaded = [(name, self.get_command(ctx, name)) for name in others]
        rows = [(name, each.get_short_help_str(80)) for name, each in loaded if each is not None]
        _write_group(formatter, "More", rows, width=max(map(len, there)))

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), means) for code, means in EXIT_CODES.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except _client_errors() as error:
            from control_units.cli.failures import Failure

            raise Failure.of(error) from error
        except KeyboardInterrupt:
            click.echo("Ended by Ctrl-C.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        except OSError as error:  # a full disk, a folder that may not be written
            if error.errno is None or error.errno == errno.EPIPE:
                raise
            where = f" ({error.filename})" if error.filename else ""
            _give_up_output()
            raise click.ClickException(f"{error.strerror}{where}") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(DISTRIBUTION), prog_name="mds")
@click.option(
    "--address",
    metavar="ADDRESS[,ADDRESS…]",
    help="Metadata servers to ask: HOST:PORT, dns:NAME, srv:NAME or zeroconf:[FACILITY]; else "
    "MDS_ADDRESS, else 127.0.0.1:7400.",
)
@click.option(
    "--as",
    "principal",
    metavar="WHO",
    envvar="MDS_PRINCIPAL",
    show_envvar=True,
    help="Who acts, for the history; else user@host.",
)
@click.pass_context
def main(ctx: click.Context, address: str | None, principal: str | None) -> None:
    """Tells a control system's metadata server what is, and asks it what runs.

    \b
      mds COMMAND --help         all about a command, with examples
      mds explain KIND[.FIELD]   what a kind of resource is, or a field
      mds completion bash        completes commands and ids in your shell

    Lists and what is shown come as -o table, wide, json, yaml, csv or name. Colours are shown
    on a terminal only, and not where NO_COLOR is set or TERM is dumb.
    """
    if address is not None:
        # The one place that all commands, and the programs that they start, look at.
        os.environ["MDS_ADDRESS"] = address
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False
    ctx.obj = Connection(principal)


def _write_group(
    formatter: click.HelpFormatter, title: str, rows: list[tuple[str, str]], *, width: int
) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl([(name.ljust(width), told) for name, told in rows])


def _give_up_output() -> None:
    """Keeps Python from trying once more, when it ends, to write what could not be written: it
    would then end with a status of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=COMMANDS))


def _load(point: EntryPoint) -> click.Command:
    try:
        command = point.load()
    except (ImportError, AttributeError, SyntaxError, TypeError, ValueError) as error:
        return _broken(point, f"{type(error).__name__}: {error}")
    if not isinstance(command, click.Command):
        return _broken(point, f"{point.value} is a {type(command).__name__}, no command")
    return command


def _broken(point: EntryPoint, fault: str) -> click.Command:
    def fail() -> None:
        raise click.ClickException(f"mds {point.name} cannot be loaded: {fault}")

    return click.Command(
        point.name, callback=fail, help=f"(cannot be loaded: {fault})", add_help_option=False
    )


def _client_errors() -> tuple[type[Exception], ...]:
    """What calls to a server raise, as far as anything that calls one has been loaded."""
    module = sys.modules.get("control_units.client.errors")
    return (module.ClientError,) if module is not None else ()
