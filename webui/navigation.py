"""The pages that the header leads to, on every page."""

from dataclasses import dataclass

from webui.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class Entry:
    """One of them.

    Attributes:
        key: typed after `g`, it goes there.
    """

    title: str
    page: str
    key: str


NAVIGATION = (
    Entry(gettext_noop("Overview"), "/", "o"),
    Entry(gettext_noop("Units"), "/control_units", "u"),
    Entry(gettext_noop("Unit servers"), "/unit_servers", "s"),
    Entry(gettext_noop("Agents"), "/agents", "a"),
    Entry(gettext_noop("Templates"), "/templates", "t"),
    Entry(gettext_noop("Operations"), "/operations", "p"),
    Entry(gettext_noop("Snapshots"), "/snapshots", "n"),
    Entry(gettext_noop("Changes"), "/changes", "c"),
    Entry(gettext_noop("Conditions"), "/conditions", "d"),
    Entry(gettext_noop("Topology"), "/topology", "y"),
)


def section_of(path: str) -> str:
    """The page of the header that a path belongs to, or nothing: `/templates/PS` → `/templates`."""
    first = "/" + path.removeprefix("/").partition("/")[0]
    return first if any(entry.page == first for entry in NAVIGATION) else ""
