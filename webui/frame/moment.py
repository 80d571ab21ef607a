"""The moment that the whole page is looked at: chosen in the header, kept by every link."""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from webui.translation import _

# Where an address of this site stands in what our templates write; values are escaped, so no
# text of the facility holds a quotation mark. Styles and scripts have no past.
# An expression begins with what every match begins with, so that the rest of a page, which may have
# megabytes, is passed over without a step for each character.
_BEGIN = '="/'
_ATTRIBUTES = (
    "href", "action", "formaction", "hx-get", "hx-post", "hx-push-url", "data-src", "data-more",
)  # fmt: skip
_NAMED = "|".join(rf"(?<=\s{name}{_BEGIN})(?<!data-now\s{name}{_BEGIN})" for name in _ATTRIBUTES)
_ADDRESS = re.compile(
    rf"{_BEGIN}(?!static/|/)(?:{_NAMED})"
    r'(?P<path>[^"#?]*)(?:\?(?P<query>[^"#]*))?(?P<end>[^"]*")'
)
_GET_FORM = re.compile(r'<form\b(?![^>]*method="post")[^>]*>')


@dataclass(frozen=True, slots=True)
class PastMoment:
    """A time, or a revision.

    Attributes:
        as_of: as calls of the server take it: `120`, `2026-11-15T03:12:00+01:00`.
        text: for people, in the time zone of the process.
        field: for a field of dates and times in a form; empty for a revision.
    """

    as_of: str
    text: str
    field: str = ""


def past_moment(as_of: str) -> PastMoment | None:
    """What an address asks for; what is no moment is shown as it is, for the server to refuse."""
    if not as_of:
        return None
    if as_of.isascii() and as_of.isdecimal():
        return PastMoment(as_of, _("revision %s") % as_of)
    try:
        local = datetime.fromisoformat(as_of).astimezone()
    except ValueError:
        return PastMoment(as_of, as_of)
    return PastMoment(as_of, f"{local:%Y-%m-%d %H:%M:%S %Z}", f"{local:%Y-%m-%dT%H:%M:%S}")


def moment_in_field(text: str) -> str:
    """What a field of dates and times says, as calls take it, in the time zone of the process.

    Raises:
        ValueError: it is no time.
    """
    return datetime.fromisoformat(text).astimezone().isoformat()


def keep_moment(html: str, past: PastMoment | None) -> str:
    """A page or a part of one, whose links and forms all stay at the moment.

    Here and not link by link: no page can forget it.
    """
    if past is None:
        return html
    asked = f"as_of={quote(past.as_of, safe='')}"
    field = f'<input type="hidden" name="as_of" value="{quote(past.as_of, safe=":+.-")}">'

    def link(found: re.Match[str]) -> str:
        query = found["query"] or ""
        if "as_of=" not in query:
            query = f"{query}&amp;{asked}" if query else asked
        return f"{_BEGIN}{found['path']}?{query}{found['end']}"

    def form(found: re.Match[str]) -> str:
        return found[0] if "data-any-moment" in found[0] else found[0] + field

    return _GET_FORM.sub(form, _ADDRESS.sub(link, html))
