"""`mds top`: the whole facility on one screen, live."""

import os
import sys

import click

from control_units.cli.connection import Connection, pass_connection

_HEIGHT = 1000
_WIDTH = 120


@click.command(short_help="Watch the whole facility, live.")
@click.option(
    "--every", type=click.FloatRange(0.2, 3600), default=1.0, show_default=True, metavar="SECONDS",
    help="How often to look.",
)  # fmt: skip
@click.option("--once", is_flag=True, help="Look once, and end.")
@pass_connection
def top(connection: Connection, *, every: float, once: bool) -> None:
    """Watch the whole facility on one screen: units by state and health, unit servers out of
    contact, operations that have not ended, zones, and units that are not as they should be.

    Keys: q ends; s sorts by another thing; / shows only what has a text in its name; h tells
    them all. In a pipe it looks once.

    \b
      mds top
      mds top --every 10
      mds top --once

    Exit codes: 0 ended by q or Ctrl-C, 3 no server answers (with --once).
    """
    from control_units.cli.top.running import look_once, show_top

    is_screen = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if once or not is_screen:
        lines = look_once(connection, _WIDTH, _HEIGHT)
        click.echo("\n".join(lines).rstrip("\n"))
        return
    show_top(connection, every_s=every)
