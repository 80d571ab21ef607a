"""`mds explain`: what a kind or a field is; what a control unit shall use, and why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import LISTED, IdOf
from control_units.cli.options import as_of_option, output_option

if TYPE_CHECKING:
    from mds.v1.control_unit_pb2 import ControlUnit, ExplainConfigurationRequest
    from mds.v1.explanation_pb2 import ExplainedValue, Explanation, LayerValue

    from control_units.client import Client

_HEADERS = ("what", "value", "unit", "from", "revision", "who", "why")


class _Subject(IdOf):
    """The id of a control unit, or a word of the protocol, which stays as it is."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        from control_units.cli.looking.meaning import is_known

        text = str(value)
        return text if is_known(text) else super().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        kinds = [each for each in LISTED if each.startswith(incomplete)]
        return [*map(CompletionItem, kinds), *super().shell_complete(ctx, param, incomplete)]


@click.command(short_help="Tell what a kind or a field is, or why a unit has its values.")
@click.argument(
    "subject",
    type=_Subject("control_units"),
    metavar="[KIND[.FIELD]|REASON|CONTROL_UNIT]",
    required=False,
)
@click.option("--to", "version", type=click.IntRange(1), help="What would be on this version.")
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What would be with its declaration in this file.",
)
@click.option("--all-layers", is_flag=True, help="Also what lower layers say that do not count.")
@as_of_option
@output_option("text", "json")
@pass_connection
def explain(
    connection: Connection,
    subject: str | None,
    *,
    version: int | None,
    file: Path | None,
    all_layers: bool,
    as_of: str,
    output: str,
) -> None:
    """Tell what a KIND of resource is, one of its fields, or the REASON of a refusal. Of a
    CONTROL_UNIT: each value that it shall use, and where it comes from: the dataset that its code
    published, its template, or the unit itself; at which revision, by whom and why.

    \b
      mds explain                      # all kinds
      mds explain control-unit
      mds explain control-unit.overrides.minimum
      mds explain ETAG_MISMATCH
      mds explain DAFNE/PL/QSK/QSKPL106
      mds explain DAFNE/PL/QSK/QSKPL106 --to 4
      mds explain DAFNE/PL/QSK/QSKPL106 --as-of '2026-11-15 03:12'

    Exit codes: 0 shown, 1 refused, 2 wrong use, 3 no server answers.
    """
    from mds.v1.control_unit_pb2 import ExplainConfigurationRequest

    if subject is None or not subject.startswith("control_units/"):
        _tell(subject, output)
        return
    request = ExplainConfigurationRequest(
        name=subject,
        as_of=as_of,
        template_version=version or 0,
        planned=_planned(file, subject) if file else None,
    )
    found = connection.run(lambda client: _explained(client, request))
    if output == "json":
        from control_units.cli.output.writing import plain_of

        click.echo(json.dumps(plain_of(found), ensure_ascii=False, indent=2))
    else:
        _write(found, has_plan=bool(version or file), has_layers=all_layers)


def _tell(word: str | None, output: str) -> None:
    """What the protocol says of a word; of all kinds where there is none."""
    from control_units.cli.looking.meaning import kinds, lines_of, meaning_of
    from control_units.cli.output.tables import write_table

    if word is None:
        write_table(("kind", "what it is"), list(kinds()), elastic=("what it is",))
        return
    meaning = meaning_of(word)
    if output == "json":
        click.echo(json.dumps(meaning.fields(), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(lines_of(meaning)))


async def _explained(client: "Client", request: "ExplainConfigurationRequest") -> "Explanation":
    return await client.control_units.ExplainConfiguration(request)


def _planned(file: Path, name: str) -> "ControlUnit":
    """The declaration of a unit in a file.

    Raises:
        click.UsageError: it has none that can be read.
    """
    from control_units.importers.facility import read_files

    reading = read_files([(str(file), file.read_bytes())])
    for problem in reading.findings.problems:
        raise click.UsageError(problem.message)
    for item in reading.items:
        if item.control_unit.name == name:
            return item.control_unit
    raise click.UsageError(f"{file} does not declare {name}.")


def _write(found: "Explanation", *, has_plan: bool, has_layers: bool) -> None:
    from control_units.cli.output.tables import write_table

    rows = [
        row
        for value in found.values
        for row in _rows(value, has_plan=has_plan, has_layers=has_layers)
    ]
    headers = (*_HEADERS[:2], "would be", *_HEADERS[2:]) if has_plan else _HEADERS
    write_table(headers, rows)
    template = found.template.partition("/")[2]
    click.echo(f"On version {found.template_version} of {template}.", err=True)
    if found.reported_fingerprint and found.reported_fingerprint != found.fingerprint:
        click.echo("The unit last said that it uses something else: see `mds show`.", err=True)


def _rows(
    value: "ExplainedValue", *, has_plan: bool, has_layers: bool
) -> Iterator[tuple[str, ...]]:
    layers = list(value.layers)
    deciding = layers.pop() if layers else None
    planned = [_would_be(value)] if has_plan else []
    yield (value.path, value.value, *planned, value.unit, *_origin(deciding))
    if has_layers:
        for layer in reversed(layers):
            blank = [""] if has_plan else []
            yield (f"  not {value.path}", layer.value, *blank, value.unit, *_origin(layer))


def _would_be(value: "ExplainedValue") -> str:
    if value.is_removed:
        return "gone"
    return value.planned_value if value.HasField("planned_value") else ""


def _origin(layer: "LayerValue | None") -> tuple[str, str, str, str]:
    """Layer, revision, author and reason."""
    from mds.v1.explanation_pb2 import Layer

    if layer is None:
        return ("", "", "", "")
    words = {
        Layer.LAYER_PUBLISHED_DATASET: "published dataset",
        Layer.LAYER_TEMPLATE: f"template version {layer.version}",
        Layer.LAYER_OVERRIDE: "the unit itself",
    }
    revision = str(layer.revision) if layer.revision else ""
    return (words.get(layer.layer, ""), revision, layer.author, layer.reason)
