"""What an export gives, piece by piece, as one list."""

from collections.abc import Sequence

from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles


async def exported_by(
    bundles: Bundles, kinds: Sequence[Kind] = (), id_prefix: str = "", *, as_of: str = ""
) -> list[Resource]:
    pieces = bundles.export(kinds, id_prefix, as_of=as_of)
    return [each async for piece in pieces for each in piece.value]
