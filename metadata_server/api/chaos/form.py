"""What a request says, as clients of !CHAOS write it.

They send `dev=…&cmd=…&parm=…` in the query or as a body, the JSON of `parm` often as it is: not
encoded, last, with `&` and `+` meaning themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiohttp import web

from metadata_server.api.rest.parameters import text_of
from metadata_server.api.rest.requests import bounded, check_media_type
from metadata_server.domain.refused import Refused, WrongField

FORM = "application/x-www-form-urlencoded"
TAKEN = (FORM, "text/plain", "application/octet-stream")
PARM = re.compile(r"(?:^|&)parm=(?=[{\[])")
"""Where JSON begins that nobody has encoded."""
MOST_DEVICES = 1000
LARGEST_FORM_BYTES = 256 * 1024
"""The longest ids of that many units fit in. A form is read between two other things that the server
does, without a thread."""


@dataclass(frozen=True, slots=True)
class Form:
    """
    Attributes:
        devices: ids of the units that it is about; none: it is about something else.
        parm: as it came; empty: there is none.
    """

    devices: tuple[str, ...]
    cmd: str
    parm: str


async def form_of(http: web.Request) -> Form:
    """
    Raises:
        Refused: INVALID_FIELD, UNSUPPORTED_MEDIA_TYPE, MESSAGE_TOO_LARGE.
    """
    found = fields_of(http.rel_url.raw_query_string)
    data = await bounded(http, LARGEST_FORM_BYTES)
    if data:
        check_media_type(http, *TAKEN)
        try:
            found |= fields_of(data.decode())
        except UnicodeDecodeError as error:
            where = f"not UTF-8 at byte {error.start}"
            raise Refused.wrong_fields([WrongField("body", where, "UTF-8 text")]) from None
    devices = [each.strip() for each in found.get("dev", "").split(",")]
    devices = list(dict.fromkeys(filter(None, devices)))
    if len(devices) > MOST_DEVICES:
        expected = f"at most {MOST_DEVICES} units in one call"
        raise Refused.wrong_fields([WrongField("dev", f"{len(devices)} units", expected)])
    return Form(tuple(devices), found.get("cmd", "").strip(), found.get("parm", ""))


def fields_of(text: str) -> dict[str, str]:
    """
    Raises:
        Refused: INVALID_FIELD, for what is not UTF-8.
    """
    found = {}
    raw = PARM.search(text)
    if raw is not None:
        found["parm"] = text[raw.end() :]
        text = text[: raw.start()]
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        found[name] = text_of(value, name)
    return found
