"""Units that have something in common: how they are, why, and since when."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from mds.v1 import overview_pb2, state_pb2

from webui import vocabulary
from webui.clock import Moment, moment
from webui.overview.bar import Segment, health_bar
from webui.translation import _, gettext_noop
from webui.vocabulary import Mark

# A page with more rows of one kind than these is no overview; they come worst first.
MOST_ROWS = 200
# What the server says with the name of a state, and without.
_WITH_STATE = (
    gettext_noop("in %(state)s"),
    gettext_noop("not yet %(state)s"),
    gettext_noop("stuck before %(state)s"),
)
_WITHOUT_PROCESS = gettext_noop("without a process")


@dataclass(frozen=True, slots=True)
class CauseWords:
    """Why some units are not good.

    Attributes:
        since: when the first of them began to be so.
    """

    count: int
    why: str
    since: Moment | None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Units of one zone, or with something else in common.

    Attributes:
        page: a list of these units; empty: there is none.
    """

    name: str
    page: str
    mark: Mark
    control_units: int
    causes: tuple[CauseWords, ...]
    in_maintenance: int
    bar: tuple[Segment, ...]


def group_row(
    group: overview_pb2.ZoneSummary | overview_pb2.GroupSummary,
    name: str,
    *,
    by: str,
    today: datetime,
) -> GroupRow:
    """
    Args:
        name: of what its units have in common.
        by: the filter's key for it.
    """
    is_plain = name and not {'"', "\\"} & set(name)
    filter_ = quote(f'{by}="{name}"', safe="")
    return GroupRow(
        name=name,
        page=f"/control_units?q={filter_}" if is_plain else "",
        mark=vocabulary.health(group.health),
        control_units=group.control_units,
        causes=tuple(_cause(each, today) for each in group.causes),
        in_maintenance=group.in_maintenance,
        bar=health_bar(group.health_counts),
    )


def _cause(cause: overview_pb2.Cause, today: datetime) -> CauseWords:
    known = cause.HasField("since_time")
    since = moment(cause.since_time, today=today) if known else None
    return CauseWords(cause.count, _in_words(cause.why), since)


def _in_words(why: str) -> str:
    """What the server says, in the page's words; what a newer one may say stays as it is."""
    contact = state_pb2.Contact.DESCRIPTOR.values_by_name.get(f"CONTACT_{why}")
    if contact is not None:
        return vocabulary.contact(contact.number).word.lower()
    if why == _WITHOUT_PROCESS:
        return _(_WITHOUT_PROCESS)
    for words in _WITH_STATE:
        begin = words.removesuffix("%(state)s")
        if why.startswith(begin):
            return _(words) % {"state": _state_in_words(why.removeprefix(begin))}
    return why


def _state_in_words(name: str) -> str:
    """As the mark beside it has it, in the middle of a sentence."""
    state = state_pb2.State.DESCRIPTOR.values_by_name.get(f"STATE_{name}")
    return name if state is None else vocabulary.state(state.number).word.lower()
