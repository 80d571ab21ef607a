"""What holds for the whole HTTP port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from metadata_server.api.errors import unexpected
from metadata_server.api.rest.answers import refusal
from metadata_server.domain.refused import Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = structlog.get_logger()


@web.middleware
async def same_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers what nothing else has answered: what is wrong has one form on all paths."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        message = f"{request.method[:20]} is not for this path; right would be {allowed}."
        return refusal(Refused.invalid("VERB_NOT_ALLOWED", message), Allow=allowed)
    except web.HTTPNotFound:
        message = f"There is nothing at {request.path[:200]}; the protocol is below /v1."
        return refusal(Refused.not_found("PATH_NOT_FOUND", message))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return refusal(Refused.invalid("INVALID_HTTP", f"{error.reason}."))
    except ConnectionError:
        raise
    except Exception as error:  # the top of every request: one line, no detail outside
        log.exception("request_failed", path=request.path[:200])
        return refusal(unexpected(error))
