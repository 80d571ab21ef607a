"""Things that a request names one by one."""

from __future__ import annotations

from collections.abc import Sequence

from metadata_server.domain.names import Kind
from metadata_server.domain.page import MAXIMUM_PAGE_SIZE
from metadata_server.domain.refused import Refused, WrongField


def ids_of(names: Sequence[str], kind: Kind, *, field: str) -> tuple[str, ...]:
    """Their ids, each once, in the order in which they were named.

    Raises:
        Refused: INVALID_ID, of the first that is none; INVALID_FIELD, where there are too many.
    """
    if len(names) > MAXIMUM_PAGE_SIZE:
        expected = f"at most {MAXIMUM_PAGE_SIZE} of them"
        raise Refused.wrong_fields([WrongField(field, str(len(names)), expected)])
    ids = (kind.id_of(name, field=f"{field}[{place}]") for place, name in enumerate(names))
    return tuple(dict.fromkeys(ids))
