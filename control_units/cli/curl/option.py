"""The option, which all commands have that make calls and do nothing else."""

from dataclasses import replace

import click

from control_units.cli.connection import Connection, makes_calls

OPTION = "--as-curl"


def with_curl(command: click.Command) -> click.Command:
    """The command, and all those below it, with an option that tells its calls instead."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_curl(each)
    elif makes_calls(command) and not any(OPTION in each.opts for each in command.params):
        command.params.append(
            click.Option(
                [OPTION],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_tell,
                help="Print its calls as calls of REST, and change nothing.",
            )
        )
    return command


def _tell(ctx: click.Context, _: click.Parameter, value: object) -> None:
    if not value or ctx.resilient_parsing:
        return
    connection = ctx.find_object(Connection)
    assert connection is not None
    ctx.obj = replace(connection, is_told=True)
    # Nothing is done, so nobody needs to be asked.
    ctx.default_map = {**(ctx.default_map or {}), "yes": True}
