"""What holds for the whole HTTP port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from metadata_server.api.errors import unexpected
from metadata_server.api.request_ids import Named, begin_request
from metadata_server.api.rest.answers import refusal
from metadata_server.api.rest.hosts import Hosts
from metadata_server.api.rest.origins import Origins
from metadata_server.domain.refused import Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NAMED = web.RequestKey("named", Named)
REQUEST_ID_HEADER = "X-Request-Id"
ENCODINGS = ("", "identity", "gzip", "deflate")
log = structlog.get_logger()


def same_body(
    origins: Origins, hosts: Hosts | None
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Answers what nothing else has answered: what is wrong has one form on all paths.

    Args:
        hosts: names by which it may be called; None: any.
    """

    @web.middleware
    async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[NAMED] = begin_request()
        try:
            if hosts is not None:
                hosts.check(request)
            check_encoding(request)
            return origins.first_answer(request) or await handler(request)
        except web.HTTPException as error:
            return answer_of(request, error)
        except Refused as refused:
            return refusal(refused)
        except ConnectionError:
            raise
        except Exception as error:  # the top of every request: one line, no detail outside
            log.exception("request_failed", path=request.path[:200])
            return refusal(unexpected(error))

    return answered


async def tell_request_id(request: web.Request, response: web.StreamResponse) -> None:
    """Whoever called finds the log line by it; for `on_response_prepare`."""
    named = request.get(NAMED)
    if named is not None and named.request_id:
        response.headers[REQUEST_ID_HEADER] = named.request_id


def check_encoding(request: web.Request) -> None:
    """A body of an encoding that nobody undoes would be taken as it is.

    Raises:
        Refused: UNSUPPORTED_MEDIA_TYPE.
    """
    encoding = request.headers.get("Content-Encoding", "")
    if encoding.strip().lower() not in ENCODINGS:
        expected = f"Content-Encoding: {', '.join(filter(None, ENCODINGS))}"
        raise Refused.invalid(
            "UNSUPPORTED_MEDIA_TYPE",
            f"The body is encoded as {encoding[:80]!r}; right would be {expected}.",
        )


def answer_of(request: web.Request, error: web.HTTPException) -> web.Response:
    """What aiohttp's own refusals are in our form."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        message = f"{request.method[:20]} is not for this path; right would be {allowed}."
        return refusal(Refused.invalid("VERB_NOT_ALLOWED", message), Allow=allowed)
    if isinstance(error, web.HTTPNotFound):
        message = f"There is nothing at {request.path[:200]}; the protocol is below /v1."
        return refusal(Refused.not_found("PATH_NOT_FOUND", message))
    if error.status < 400:
        raise error
    return refusal(Refused.invalid("INVALID_HTTP", f"{error.reason}."))
