"""Versions of templates: listed, written, published, retired."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import click
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.bundle_pb2 import BundleItem
from mds.v1.template_pb2 import (
    CreateTemplateRequest,
    DeprecateTemplateVersionRequest,
    DiscardTemplateDraftRequest,
    GetTemplateRequest,
    ListTemplateVersionsRequest,
    PublishTemplateVersionRequest,
    Template,
    UpdateTemplateRequest,
    VersionState,
)

from control_units.cli.connection import Connection
from control_units.cli.failures import PROBLEMS
from control_units.cli.kinds import Reads
from control_units.cli.looking.asked import Asked
from control_units.cli.output.problems import problem_lines
from control_units.cli.output.writing import Shape, write_all
from control_units.client import Client, Refused
from control_units.client.words import word_of
from control_units.importers.facility import read_files, write_facility

DRAFT = VersionState.VERSION_STATE_DRAFT
_STANDARD_INPUT = "-"


def list_templates(connection: Connection, *, prefix: str, as_of: str, output: str) -> None:
    found = connection.each(
        lambda client: Reads("templates").all(client, id_prefix=prefix, as_of=as_of)
    )
    shape = Shape(("id", "version", "state", "description"), _row, elastic=("description",))
    write_all(found, shape, output)


def _row(each: Template) -> tuple[str, ...]:
    return (_id(each.name), str(each.version), state_of(each.version_state), each.description)


def list_versions(
    connection: Connection, template: str, asked: Asked, *, as_of: str, output: str
) -> None:
    """Of the past, the versions alone are known: units are counted only now."""

    async def now(client: Client) -> list[tuple[str, ...]]:
        reply = await client.templates.ListTemplateVersions(
            ListTemplateVersionsRequest(name=template, **asked)
        )
        return [
            (str(each.version), state_of(each.version_state), str(count))
            for each, count in zip(reply.versions, reply.unit_counts, strict=True)
        ]

    async def then(client: Client) -> list[tuple[str, ...]]:
        found = await Reads("templates").get(client, _id(template), as_of=as_of)
        return [(str(each.version), state_of(each.version_state)) for each in found.versions]

    headers = ("version", "state") if as_of else ("version", "state", "units")
    _write(headers, connection.run(then if as_of else now), output)


def _write(headers: Sequence[str], rows: Sequence[Sequence[str]], output: str) -> None:
    def plain(row: Sequence[str]) -> dict[str, str]:
        return dict(zip(headers, row, strict=True))

    write_all(rows, Shape(headers, lambda row: row, plain=plain, name=lambda row: row[0]), output)


def begin_draft(connection: Connection, name: str, *, reason: str) -> None:
    """Has a draft there, and writes it to standard output."""

    async def work(client: Client) -> Template:
        newest = await client.templates.GetTemplate(GetTemplateRequest(name=name))
        if newest.version_state == DRAFT:
            return newest
        begun = Template(name=name, etag=newest.etag, version_state=DRAFT)
        return await client.templates.UpdateTemplate(
            UpdateTemplateRequest(
                template=begun, update_mask=FieldMask(paths=["version_state"]), reason=reason
            )
        )

    found = connection.run(work)
    written = Template()
    written.CopyFrom(found)
    # In a file they would be what must be there, not what shall become of it.
    written.version = 0
    written.ClearField("version_state")
    click.echo(write_facility([BundleItem(template=written)], "yaml"), nl=False)
    click.echo(
        f"Version {found.version} of {_id(name)} is a draft. Edit what was written, and keep it "
        f"with: mds template draft {_id(name)} -f FILE",
        err=True,
    )


def write_draft(connection: Connection, name: str, file: Path, *, reason: str) -> None:
    """Makes the draft what a file says, and begins it where there is none."""
    wanted = _read(name, file)
    wanted.version_state = DRAFT
    wanted.version = 0

    async def work(client: Client) -> Template:
        try:
            newest = await client.templates.GetTemplate(GetTemplateRequest(name=name))
        except Refused as refused:
            if refused.reason != "TEMPLATE_NOT_FOUND":
                raise
            return await client.templates.CreateTemplate(
                CreateTemplateRequest(template=wanted, reason=reason)
            )
        wanted.etag = newest.etag
        return await client.templates.UpdateTemplate(
            UpdateTemplateRequest(
                template=wanted, update_mask=FieldMask(paths=["*"]), reason=reason
            )
        )

    found = connection.run(work)
    click.secho(f"Version {found.version} of {_id(name)} is a draft.", bold=True)
    click.echo(f"To see what differs: mds diff {name}@{found.revision - 1}")
    click.echo(f"To let units use it: mds template publish {_id(name)}")


def _read(name: str, file: Path) -> Template:
    """The template of a file.

    Raises:
        click.ClickException: the file has problems, or not this template once.
    """
    is_input = str(file) == _STANDARD_INPUT
    data = sys.stdin.buffer.read() if is_input else file.read_bytes()
    reading = read_files([(str(file), data)])
    if reading.findings.problems:
        click.echo("\n".join(problem_lines(reading.findings.problems)))
        raise click.exceptions.Exit(PROBLEMS)
    found = [item.template for item in reading.items if item.template.name == name]
    if len(found) != 1:
        raise click.ClickException(
            f"{file} should have {_id(name)} once under `templates:`, and has it {len(found)} times."
        )
    return found[0]


Call = Callable[[Client, Template], Awaitable[Template]]


def publish_draft(connection: Connection, name: str, *, reason: str) -> None:
    async def call(client: Client, newest: Template) -> Template:
        return await client.templates.PublishTemplateVersion(
            PublishTemplateVersionRequest(name=name, etag=newest.etag, reason=reason)
        )

    found = _changed(connection, name, call)
    _say(f"version {found.version} of {_id(name)} is published", found.revision)
    click.echo(
        f"To see what it means for units: mds template rebase {_id(name)} --to {found.version} "
        "--dry-run"
    )


def deprecate_version(connection: Connection, name: str, version: int, *, reason: str) -> None:
    async def call(client: Client, newest: Template) -> Template:
        return await client.templates.DeprecateTemplateVersion(
            DeprecateTemplateVersionRequest(
                name=name, version=version, etag=newest.etag, reason=reason
            )
        )

    found = _changed(connection, name, call)
    _say(f"version {version} of {_id(name)} is deprecated", found.revision)


def discard_draft(connection: Connection, name: str, *, reason: str) -> None:
    async def work(client: Client) -> int:
        newest = await client.templates.GetTemplate(GetTemplateRequest(name=name))
        reply = await client.templates.DiscardTemplateDraft(
            DiscardTemplateDraftRequest(name=name, etag=newest.etag, reason=reason)
        )
        return reply.position.revision

    _say(f"the draft of {_id(name)} is gone", connection.run(work))


def _changed(connection: Connection, name: str, call: Call) -> Template:
    """What a call made of a template, as it was read just before."""

    async def work(client: Client) -> Template:
        newest = await client.templates.GetTemplate(GetTemplateRequest(name=name))
        return await call(client, newest)

    return connection.run(work)


def _say(what: str, revision: int) -> None:
    click.secho(f"Done at revision {revision}: {what}.", bold=True)
    click.echo(f"To take it back: mds undo {revision}")


def state_of(state: VersionState.ValueType) -> str:
    return word_of(VersionState, state)


def _id(name: str) -> str:
    return name.partition("/")[2]
