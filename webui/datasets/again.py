"""What was sent while no server answered: kept in a form, to be sent again just so."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from control_units.client import ClientError
from webui.site import Site, busy_seconds, can_be_mended, explain, may_be_done


def again(
    site: Site,
    action: str,
    posted: Iterable[tuple[str, object]],
    failure: ClientError | TimeoutError,
    *,
    written: bool = True,
    begun: bool = False,
    done: str = "",
) -> web.Response:
    """The page that sends it again where that may help; else what the server said.

    Args:
        action: where it was sent.
        posted: all of it. Its request id, if it has one, makes a second sending harmless.
        written: it failed where it was to be saved, and not where something was only read.
        begun: a part of it was saved before.
        done: which one, in words, where that is known.
    """
    if can_be_mended(failure):
        return site.refused(failure, whole=True)
    title, message, status = explain(failure)
    seconds = busy_seconds(failure)
    may_be = begun or (written and may_be_done(failure))
    said = Said(title, message, status, seconds, may_be_done=may_be, done=done)
    return kept(site, action, posted, said)


@dataclass(frozen=True, slots=True)
class Said:
    """Why it was not taken.

    Attributes:
        seconds: after which scripts send it again; 0: they wait for somebody to do that.
        may_be_done: nobody knows whether it was done even so.
        done: how much was done before; empty: nothing.
    """

    title: str
    message: str
    status: int
    seconds: int = 0
    may_be_done: bool = False
    done: str = ""


def kept(site: Site, action: str, posted: Iterable[tuple[str, object]], said: Said) -> web.Response:
    """The page that sends it again."""
    pairs = [(name, value) for name, value in posted if isinstance(value, str)]
    context: dict[str, object] = {
        "action": action,
        "pairs": pairs,
        "has_request_id": any(name == "request_id" and value for name, value in pairs),
        "title": said.title,
        "message": said.message,
        "seconds": said.seconds,
        "may_be_done": said.may_be_done,
        "done": said.done,
    }
    return site.page("datasets/again.html", context, status=said.status)
