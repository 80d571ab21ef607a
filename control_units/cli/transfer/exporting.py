"""From a facility to a file."""

import sys
from collections.abc import Sequence

from mds.v1.bundle_pb2 import BundleItem, ExportRequest

from control_units.cli.connection import Connection
from control_units.cli.kinds import number_of
from control_units.client import Client
from control_units.importers.facility import write_facility
from control_units.importers.tables import table_writer

PATIENCE_S = 120.0


def write_export(
    connection: Connection,
    format: str,
    *,
    kinds: Sequence[str],
    prefix: str,
    as_of: str,
    has_scope: bool,
) -> None:
    """Writes to standard output, in UTF-8 whatever the terminal's own encoding is."""
    request = ExportRequest(
        kinds=[number_of(kind) for kind in kinds],
        id_prefix=prefix,
        as_of=as_of,
    )

    async def work(client: Client) -> list[BundleItem]:
        items: list[BundleItem] = []
        async for response in client.bundles.Export(request, timeout=PATIENCE_S):
            items.extend(response.items)
        return items

    items = connection.run(work)
    if format == "csv":
        text = _table(items)
    else:
        scope = (list(kinds), prefix) if has_scope else None
        text = write_facility(items, format, scope=scope)
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _table(items: Sequence[BundleItem]) -> str:
    with table_writer() as writer:
        for item in items:
            writer.add(item.control_unit)
        return "".join(writer.lines())
