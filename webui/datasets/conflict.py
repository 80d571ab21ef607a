"""What stands against an edit when somebody else was faster: each field three times."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web

from control_units.client import Stale
from webui.datasets.form import Declared, Form
from webui.names import id_of, page_of
from webui.site import Site


@dataclass(frozen=True, slots=True)
class Choice:
    """One field; an empty text: not set.

    Attributes:
        words: the field, as people call it.
        base: what both began with.
    """

    path: str
    words: str
    base: str
    mine: str
    theirs: str

    @property
    def is_contested(self) -> bool:
        """Whether both have changed it, to different values: somebody has to choose."""
        return self.base not in (self.mine, self.theirs) and self.mine != self.theirs

    @property
    def keeps_mine(self) -> bool:
        """What is chosen unless somebody says otherwise: whoever has changed it."""
        return self.mine != self.base and not self.is_contested


def choices(
    base: Mapping[str, str],
    mine: Mapping[str, str],
    theirs: Mapping[str, str],
    *,
    words_of: Callable[[str], str],
) -> list[Choice]:
    """The fields that anybody has changed, those to choose first.

    Args:
        mine: what was typed, of all fields that could be typed.
    """
    paths = sorted({*base, *mine, *theirs})
    found = [
        Choice(
            path,
            words_of(path),
            base.get(path, ""),
            mine.get(path, base.get(path, "")),
            theirs.get(path, ""),
        )
        for path in paths
    ]
    changed = [each for each in found if not each.base == each.mine == each.theirs]
    return sorted(changed, key=lambda choice: not choice.is_contested)


def conflict_page(
    site: Site,
    now: Declared,
    found: Sequence[Choice],
    reason: str,
    *,
    stale: Stale | None,
    rest: Mapping[str, str] | None = None,
) -> web.Response:
    """Each field three times; what is chosen is sent with the etag of what is there now.

    Args:
        stale: None: both were to be created, and theirs is there.
        rest: what nobody has changed, where all fields are sent; by name.
    """
    context: dict[str, object] = {
        "id": id_of(now.name),
        "name": now.name,
        "page": page_of(now.name),
        "form": replace(Form.of(now, {}), reason=reason),
        "choices": found,
        "rest": rest or {},
        "conflict": stale.conflicts[0] if stale and stale.conflicts else None,
        "was_there": stale is None,
    }
    return site.page("datasets/conflict.html", context, status=HTTPStatus.PRECONDITION_FAILED)
