"""Names that nothing has, and the nearest that something has."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from mds.v1.bundle_pb2 import Problem
from mds.v1.template_pb2 import ListTemplatesRequest
from mds.v1.unit_server_pb2 import ListUnitServersRequest

from control_units.client import Client
from webui.names import id_of

_MOST_KNOWN = 1_000
# Different names that are looked for; each is compared with all that are known.
_MOST_WRONG = 20


async def meant_instead(client: Client, problems: Iterable[Problem]) -> Mapping[str, str]:
    """The id that was perhaps meant, by the wrong name.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    wrong = dict.fromkeys(
        each.value for each in problems if each.field in {"template", "unit_server"}
    )
    found: dict[str, str] = {}
    for collection in ("templates", "unit_servers"):
        names = [name for name in wrong if name.startswith(f"{collection}/")][:_MOST_WRONG]
        known = await _known(client, collection) if names else []
        for name in names:
            if close := get_close_matches(id_of(name), known, n=1):
                found[name] = close[0]
    return found


async def _known(client: Client, collection: str) -> list[str]:
    """The first ids that there are."""
    if collection == "templates":
        templates = await client.templates.ListTemplates(
            ListTemplatesRequest(page_size=_MOST_KNOWN)
        )
        return [id_of(each.name) for each in templates.templates]
    servers = await client.unit_servers.ListUnitServers(
        ListUnitServersRequest(page_size=_MOST_KNOWN)
    )
    return [id_of(each.name) for each in servers.unit_servers]
