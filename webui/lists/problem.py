"""What is wrong with what people asked of a list, shown where they wrote it."""

import re
from dataclasses import dataclass

from control_units.client import Refused
from webui.lists.view import View
from webui.refusals import in_words, told

# What is asked for can be mended by whoever asks: the list stays, and says so.
MENDABLE = frozenset(
    {"INVALID_FILTER", "INVALID_FIELD", "INVALID_PAGE_TOKEN", "HISTORY_TRIMMED", "HISTORY_RESET"}
)
# As far as one word goes, or a text in quotes.
_WRONG = re.compile(r'"[^"]*"?|[^\s=:!<>,()]*')


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault.

    Attributes:
        before, wrong, after: the filter, with what is wrong in its middle; all empty: it is
            about something else.
        suggestion: the filter that was perhaps meant.
        address: of the list with that; or, without a suggestion, of the list from its beginning.
    """

    message: str
    before: str = ""
    wrong: str = ""
    after: str = ""
    suggestion: str = ""
    address: str = ""


def problem_of(refused: Refused, view: View, before_it: int = 0) -> Problem:
    """What was refused, as people wrote it.

    Args:
        refused: with a reason of MENDABLE.
        before_it: characters of the filter that was sent, before theirs.
    """
    column = refused.metadata.get("column", "")
    if refused.reason != "INVALID_FILTER" or not column.isdecimal():
        return Problem(told(refused), address=view.first().address())
    place = max(0, min(int(column) - 1 - before_it, len(view.q)))
    found = _WRONG.match(view.q, place)
    end = found.end() if found else place
    before, wrong, after = view.q[:place], view.q[place:end], view.q[end:]
    message = refused.message.partition(": ")[2] or refused.message
    message = in_words(refused.reason, message)
    suggestion = refused.metadata.get("suggestion", "")
    if not suggestion:
        return Problem(message, before, wrong, after)
    meant = f"{before}{suggestion}{after}"
    return Problem(message, before, wrong, after, meant, view.filtered(meant).address())
