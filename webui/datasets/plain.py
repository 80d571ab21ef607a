"""Fields of a declaration that are no lists of things with names: texts by their paths."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from google.protobuf.message import Message

from webui.datasets.texts import put_text, text_of


@dataclass(frozen=True, slots=True)
class Plain:
    """Those of one kind of resources.

    Attributes:
        paths: that a form may change.
        collections: of those that name other resources by their ids.
    """

    paths: tuple[str, ...]
    collections: Mapping[str, str] = field(default_factory=dict)

    def fields_of(self, resource: Message) -> dict[str, str]:
        """All that are set."""
        texts = {path: text_of(resource, path, collection=self._of(path)) for path in self.paths}
        return {path: text for path, text in texts.items() if text}

    def declare(self, resource: Message, changed: Mapping[str, str]) -> Iterable[str]:
        """Changes them; which were changed.

        Raises:
            Misread: one cannot be what was typed.
        """
        found = [path for path in self.paths if path in changed]
        for path in found:
            put_text(resource, path, changed[path], collection=self._of(path))
        return found

    def path_of(self, field: str) -> str:
        """Of a violation: `labels[rack]` is in the field `labels`; empty: it is in none."""
        known = (path for path in self.paths if field == path or field.startswith(f"{path}["))
        return next(known, "")

    def _of(self, path: str) -> str:
        return self.collections.get(path, "")
