"""What somebody wants to see of a list: all of it stands in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from multidict import MultiMapping

from webui.lists.kind import ListKind

SIZES = (50, 100, 500)
USUAL_SIZE = 100
# Pages that "previous" leads back over, one by one.
LONGEST_TRAIL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One page of a list, as its address says.

    Attributes:
        path: of the list, with the slash in front.
        q: filter that people wrote.
        sort: key, with `-` in front for the opposite order; empty: the usual order.
        columns: keys of those that are shown; empty: as usual.
        page: token of a later page; empty: the first.
        trail: tokens of the pages between the first and this one.
    """

    path: str
    q: str = ""
    sort: str = ""
    columns: tuple[str, ...] = ()
    size: int = USUAL_SIZE
    page: str = ""
    trail: tuple[str, ...] = ()

    @property
    def fields(self) -> dict[str, str]:
        """As an address, or the hidden fields of a form, have them; what is usual is left out."""
        told = {
            "q": self.q,
            "sort": self.sort,
            "columns": ",".join(self.columns),
            "size": "" if self.size == USUAL_SIZE else str(self.size),
            "page": self.page,
            "trail": ".".join(self.trail),
        }
        return {key: value for key, value in told.items() if value}

    def address(self, **more: str) -> str:
        fields = {**self.fields, **more}
        return f"{self.path}?{urlencode(fields)}" if fields else self.path

    def filtered(self, q: str) -> "View":
        return replace(self.first(), q=q)

    def sorted(self, sort: str) -> "View":
        return replace(self.first(), sort=sort)

    def sized(self, size: int) -> "View":
        return replace(self.first(), size=size)

    def first(self) -> "View":
        return replace(self, page="", trail=())

    def next(self, token: str) -> "View":
        trail = (*self.trail, self.page) if self.page else ()
        return replace(self, page=token, trail=trail[-LONGEST_TRAIL:])

    def previous(self) -> "View | None":
        """The page before; None: this is the first one."""
        if not self.page:
            return None
        if not self.trail:
            return self.first()
        return replace(self, page=self.trail[-1], trail=self.trail[:-1])


def view_of(kind: ListKind[object], query: MultiMapping[str], cookies: Mapping[str, str]) -> View:
    """What an address asks for; what makes no sense in it is as if it were not there."""
    known = {column.key for column in kind.columns}
    asked = [*query.getall("column", []), *query.get("columns", "").split(",")]
    kept = cookies.get(cookie_of(kind), "").split(".")
    columns = _known(asked, known) or _known(kept, known)
    size = query.get("size", "")
    return View(
        path=f"/{kind.path}",
        q=query.get("q", "").strip(),
        sort=_sort(kind, query.get("sort", ""), is_past=bool(query.get("as_of"))),
        columns=() if columns == kind.usual else columns,
        size=int(size) if size in map(str, SIZES) else USUAL_SIZE,
        page=query.get("page", ""),
        trail=tuple(filter(None, query.get("trail", "").split("."))),
    )


def cookie_of(kind: ListKind[object]) -> str:
    """The cookie that remembers which columns somebody likes."""
    return f"columns-{kind.path}"


def _known(keys: Sequence[str], known: set[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for key in keys if key in known))


def _sort(kind: ListKind[object], sort: str, *, is_past: bool) -> str:
    sortable = {each.sort for each in kind.columns if each.sort and (each.is_past or not is_past)}
    return sort if sort.removeprefix("-") in sortable else ""
