"""What was sent while no server answered: kept in a form, to be sent again just so."""

from collections.abc import Iterable

from aiohttp import web

from control_units.client import ClientError
from webui.site import Site, busy_seconds, explain


def again(
    site: Site,
    action: str,
    posted: Iterable[tuple[str, object]],
    failure: ClientError | TimeoutError,
) -> web.Response:
    """The page that sends it again where that may help; else what the server said.

    Args:
        action: where it was sent.
        posted: all of it. Its request id, if it has one, makes a second sending harmless.
    """
    if isinstance(failure, ClientError) and not failure.is_transient:
        return site.refused(failure, whole=True)
    title, message, status = explain(failure)
    context: dict[str, object] = {
        "action": action,
        "pairs": [(name, value) for name, value in posted if isinstance(value, str)],
        "title": title,
        "message": message,
        "seconds": busy_seconds(failure),
    }
    return site.page("datasets/again.html", context, status=status)
