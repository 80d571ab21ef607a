"""What somebody typed into a form about a declaration, and what stands against it."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from webui.names import page_of


class Declared(Protocol):
    """What people declare: a unit, a template."""

    name: str
    etag: str
    revision: int


@dataclass(frozen=True, slots=True)
class Form:
    """A form, drawn or sent.

    Attributes:
        etag: of the declaration that it was drawn from.
        revision: of its last change; leads to what was read.
        request_id: the same as often as the same is sent.
        fields: text by path; absent: not in the form.
        moved: word of the button that moved an entry, to be pressed again; empty: none did.
    """

    etag: str
    revision: str
    request_id: str
    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    moved: str = ""

    @classmethod
    def of(cls, resource: Declared, fields: Mapping[str, str]) -> Self:
        """A form that nobody has typed into."""
        return cls(
            etag=resource.etag,
            revision=str(resource.revision),
            request_id=new_request_id(),
            fields=fields,
        )

    @classmethod
    def sent(cls, posted: Iterable[tuple[str, object]], is_field: Callable[[str], bool]) -> Self:
        texts = {
            name: value.replace("\r\n", "\n") for name, value in posted if isinstance(value, str)
        }
        return cls(
            etag=texts.get("etag", ""),
            revision=texts.get("revision", ""),
            request_id=texts.get("request_id") or new_request_id(),
            reason=texts.get("reason", ""),
            fields={name: text.strip() for name, text in texts.items() if is_field(name)},
        )


def page_after(saved: Declared, etag: str) -> str:
    """The page that an edit leads to: with the way back, unless there was nothing to write.

    Args:
        etag: of what was edited.
    """
    query = f"?saved={saved.revision}" if saved.etag != etag else ""
    return page_of(saved.name) + query


def new_request_id() -> str:
    return uuid.uuid4().hex
