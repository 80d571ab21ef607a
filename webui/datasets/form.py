"""What somebody typed into a form about a declaration, and what stands against it."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from webui.names import page_of

# The field by which a form says that its texts were chosen, and not typed.
SETTLED = "settled"


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
        fields: text by path; absent: not in the form. What was sent is as it came; see `upon`.
        moved: word of the button that moved an entry, to be pressed again; empty: none did.
        is_settled: each text is one of those that stood in a resource, and nobody has typed it.
    """

    etag: str
    revision: str
    request_id: str
    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    moved: str = ""
    is_settled: bool = False

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
        texts = {name: sent_back(value) for name, value in posted if isinstance(value, str)}
        return cls(
            etag=texts.get("etag", ""),
            revision=texts.get("revision", ""),
            request_id=texts.get("request_id") or new_request_id(),
            reason=texts.get("reason", ""),
            fields={name: text for name, text in texts.items() if is_field(name)},
            is_settled=SETTLED in texts,
        )

    def upon(self, before: Mapping[str, str]) -> Self:
        """With what somebody has typed without white space around it, and all else just as it was.

        Args:
            before: the fields of what it was drawn from.
        """
        fields = {
            path: said_upon(before.get(path, ""), text, is_typed=not self.is_settled)
            for path, text in self.fields.items()
        }
        return replace(self, fields=fields, is_settled=False)


def sent_back(text: str) -> str:
    """A text as it comes back from a browser, whatever it is drawn in that may have lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def said_upon(before: str, text: str, *, is_typed: bool) -> str:
    """What a field shall be: the very text that stood there, if that is what came back."""
    if text == sent_back(before):
        return before
    return text.strip() if is_typed else text


def page_after(saved: Declared, etag: str) -> str:
    """The page that an edit leads to: with the way back, unless there was nothing to write.

    Args:
        etag: of what was edited.
    """
    query = f"?saved={saved.revision}" if saved.etag != etag else ""
    return page_of(saved.name) + query


def new_request_id() -> str:
    return uuid.uuid4().hex
