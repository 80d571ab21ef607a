"""Objects and containers of a file, read so that nothing can be forgotten: what nobody takes of
an entry is left over, and is kept by whoever owns the entry."""

from collections.abc import Iterator

from control_units.importers.findings import Findings
from control_units.importers.json_text import Number, Value, write
from control_units.importers.places import element, member


class Entry:
    """One object of a file, together with an object inside it that says more of the same thing
    (`us_desc`, `instance_description`, `info`). The inner one counts where both speak.

    Attributes:
        key: its name in the container; empty where the container is a list.
        place: of the object itself.
    """

    def __init__(self, fields: dict[str, Value], place: str, *, key: str = "") -> None:
        self.key = key
        self.place = place
        self._layers: list[tuple[str, dict[str, Value]]] = [(place, fields)]
        self._left: list[dict[str, Value]] = [dict(fields)]

    def unfold(self, name: str) -> None:
        """Reads the fields of the inner object as if they stood in this one."""
        place, fields = self._layers[0]
        inner = fields.get(name)
        if isinstance(inner, dict):
            del self._left[-1][name]
            self._layers.insert(0, (member(place, name), inner))
            self._left.append(dict(inner))

    def take(self, *spellings: str) -> Value:
        """The value of a field with several spellings: the first that says something, else null
        or an empty one. What the same field says elsewhere goes too, if it is equal or empty;
        else it is left over."""
        found = self._find(spellings)[2]
        for left in self._left:
            for spelling in spellings:
                if spelling in left and (left[spelling] == found or is_empty(left[spelling])):
                    del left[spelling]
        return found

    def text(self, *spellings: str) -> str:
        """Likewise as text; absent: empty. Structures become JSON text."""
        return text_of(self.take(*spellings))

    def names(self) -> set[str]:
        """Names of all fields, taken or not."""
        return {name for _, fields in self._layers for name in fields}

    def place_of(self, *spellings: str) -> str:
        """Where the field stands, or would stand."""
        place, spelling, _ = self._find(spellings)
        return member(place, spelling)

    def original(self, name: str) -> Value:
        """The value of a field as the file has it, taken or not."""
        return self._find((name,))[2]

    def whole(self) -> dict[str, Value]:
        """All fields as the file has them, taken or not."""
        return {n: value for _, fields in reversed(self._layers) for n, value in fields.items()}

    def _find(self, spellings: tuple[str, ...]) -> tuple[str, str, Value]:
        """Place of the object that has it, its spelling there, and its value."""
        found: tuple[str, str, Value] = (self._layers[0][0], spellings[0], None)
        for place, fields in self._layers:
            for spelling in spellings:
                value = fields.get(spelling)
                if value is not None:
                    if not is_empty(value):
                        return place, spelling, value
                    if found[2] is None:
                        found = (place, spelling, value)
        return found

    def put_back(self, name: str, value: Value) -> None:
        """Leaves a value over after all, because the model cannot say it."""
        self._left[0][name] = value

    def left_over(self) -> Iterator[tuple[str, Value]]:
        """Name and value of each field that nobody took; the outer object's first, inner ones
        of the same name with the path to them."""
        seen: set[str] = set()
        for (place, _), fields in zip(reversed(self._layers), self._left, strict=True):
            prefix = place[len(self.place) :].lstrip(".")
            for name, value in fields.items():
                yield (f"{prefix}.{name}" if name in seen else name), value
                seen.add(name)

    def properties(self, findings: Findings) -> dict[str, str]:
        """All that is left over and says something, as JSON text by name."""
        kept: dict[str, str] = {}
        for name, value in self.left_over():
            if is_empty(value):
                findings.empty[name] += 1
            else:
                kept[name] = write(value)
        return kept


def is_empty(value: Value) -> bool:
    """Whether it says nothing: null, an empty text, list or object."""
    return value is None or (not isinstance(value, bool) and len(value) == 0)


def text_of(value: Value) -> str:
    """A value as the text that people gave; structures as JSON text, null as empty."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else write(value)


def flag_of(value: Value) -> bool | None:
    """A yes or no in any of its spellings; None: it is neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
    return None


def members(value: Value, place: str, findings: Findings) -> Iterator[tuple[str, str, Value]]:
    """Key (empty in a list), place and value of all that a container holds. A null holds
    nothing, whether it is the container or stands in it."""
    if isinstance(value, dict):
        yield from ((k, member(place, k), v) for k, v in value.items() if v is not None)
    elif isinstance(value, list):
        pairs = enumerate(value)
        yield from (("", element(place, i), v) for i, v in pairs if v is not None)
    elif not is_empty(value):
        findings.problem(place, "a list or an object", value=text_of(value))


def entries(value: Value, place: str, findings: Findings) -> Iterator[Entry]:
    """Likewise, for a container of objects."""
    for key, at, inner in members(value, place, findings):
        if isinstance(inner, dict):
            yield Entry(inner, at, key=key)
        else:
            findings.problem(at, "an object", value=text_of(inner))


def timestamp_ms(value: Value) -> int | None:
    """Milliseconds since 1970; None: it is no such number."""
    return int(value) if isinstance(value, Number) and value.isdecimal() else None
