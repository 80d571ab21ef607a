"""`mds template`: versions of templates, from draft to the units that use them."""

from pathlib import Path
from typing import Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.looking.asked import asked_of, asked_options
from control_units.cli.options import as_of_option, list_output, plan_options, reason_option
from control_units.cli.selecting import selection_options

_TEMPLATE = click.argument("template", type=IdOf("templates"))
OUTCOMES = ("unaffected", "changed-default", "removed-parameter", "conflict")


@click.group(short_help="Versions of templates, from draft to the units on them.")
def template() -> None:
    """Write, publish and retire versions of templates, and move control units to them.

    A version is a draft, then published and never changed again, then perhaps deprecated.
    Units stay on their version until they are moved:

    \b
      mds template draft T >t.yaml          # begin the next version, and edit it
      mds template draft T -f t.yaml        # keep the draft
      mds template publish T                # no unit moves by this
      mds template rebase T --dry-run       # what it means for each unit
      mds template rebase T
    """


@template.command(name="list")
@click.option("--prefix", default="", help="Only ids that begin with this text.")
@as_of_option
@list_output
@pass_connection
def list_(connection: Connection, *, prefix: str, as_of: str, output: str) -> None:
    """List templates with their newest version and where it stands.

    \b
      mds template list
    """
    from control_units.cli.templates.versions import list_templates

    list_templates(connection, prefix=prefix, as_of=as_of, output=output)


@template.command()
@_TEMPLATE
@asked_options("template_version", "units>0 -version_state=DEPRECATED")
@as_of_option
@list_output
@pass_connection
def versions(
    connection: Connection, template: str, *, as_of: str, output: str, **asked: str
) -> None:
    """List the versions of TEMPLATE, where each stands, and how many units are on it.

    \b
      mds template versions driver::powersupply::SCPowerSupply
    """
    from control_units.cli.templates.versions import list_versions

    if as_of and any(asked.values()):
        raise click.UsageError("Of the past, all versions are listed: say --as-of alone.")
    list_versions(connection, template, asked_of(asked), as_of=as_of, output=output)


@template.command()
@_TEMPLATE
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, allow_dash=True, dir_okay=False, path_type=Path),
    help="What the draft shall be, in the format of `mds export`; - is standard input.",
)
@reason_option
@pass_connection
def draft(connection: Connection, template: str, *, file: Path | None, reason: str) -> None:
    """Write the next version of TEMPLATE, without anybody using it yet. Without a file: begin a
    draft that is like the newest version, and write it to standard output, to be edited.

    \b
      mds template draft T >t.yaml
      mds template draft T -f t.yaml --reason "60 A magnets"
    """
    from control_units.cli.templates.versions import begin_draft, write_draft

    if file is None:
        begin_draft(connection, template, reason=reason)
    else:
        write_draft(connection, template, file, reason=reason)


@template.command()
@_TEMPLATE
@reason_option
@pass_connection
def publish(connection: Connection, template: str, *, reason: str) -> None:
    """Make the draft of TEMPLATE a version that units can use, and that never changes again.
    New units get it; those that are there stay as they are until they are rebased.

    \b
      mds template publish driver::powersupply::SCPowerSupply
    """
    from control_units.cli.templates.versions import publish_draft

    publish_draft(connection, template, reason=reason)


@template.command()
@_TEMPLATE
@click.option("--version", type=click.IntRange(1), required=True, help="Which version.")
@reason_option
@pass_connection
def deprecate(connection: Connection, template: str, *, version: int, reason: str) -> None:
    """Let no new unit use a version of TEMPLATE; those that do go on.

    \b
      mds template deprecate driver::powersupply::SCPowerSupply --version 2
    """
    from control_units.cli.templates.versions import deprecate_version

    deprecate_version(connection, template, version, reason=reason)


@template.command()
@_TEMPLATE
@reason_option
@pass_connection
def discard(connection: Connection, template: str, *, reason: str) -> None:
    """Throw the draft of TEMPLATE away.

    \b
      mds template discard driver::powersupply::SCPowerSupply
    """
    from control_units.cli.templates.versions import discard_draft

    discard_draft(connection, template, reason=reason)


@template.command()
@_TEMPLATE
@click.option("--to", "version", type=click.IntRange(1), help="Else the newest published one.")
@click.option(
    "--unit",
    "units",
    type=IdOf("control_units"),
    multiple=True,
    help="Only this unit; may be given several times.",
)
@selection_options(template=False)
@click.option(
    "--only",
    "outcomes",
    type=click.Choice(OUTCOMES),
    multiple=True,
    help="Move only units for which it means this; may be given several times.",
)
@click.option(
    "--drop-conflicting",
    is_flag=True,
    help="Drop the overrides and parameters of units that stand against the version.",
)
@plan_options()
@pass_connection
def rebase(connection: Connection, /, template: str, **options: Any) -> None:
    """Move units of TEMPLATE to another version: show what it means for each, ask, and do just
    that, in one change. Units that are left are marked as out of date.

    A unit is *unaffected*; or it has a *changed default*: it would use something else; or a
    *removed parameter*; or a *conflict*: what it overrides is gone or breaks what the version
    demands. One conflict stops all, unless --drop-conflicting, --skip-invalid or --only says
    what to do with it.

    \b
      mds template rebase T --to 4 --dry-run
      mds template rebase T --select zone=DAFNE/PL --only unaffected --only changed-default
      mds template rebase T --drop-conflicting --reason "60 A magnets"

    Exit codes: as of `mds apply`.
    """
    from control_units.cli.editing.planning import Wish
    from control_units.cli.selecting import selection_of
    from control_units.cli.templates.rebasing import Rebase, rebase_units

    rebase_units(
        connection,
        Rebase(
            template=template,
            version=options["version"] or 0,
            selection=selection_of(options["units"], options),
            outcomes=options["outcomes"],
            is_dropping=options["drop_conflicting"],
            reason=options["reason"],
        ),
        Wish.of(options),
    )
