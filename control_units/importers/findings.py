"""What a reader has to say about a file besides what it has read."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from mds.v1.bundle_pb2 import BundleItem, Problem, PruneScope


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a person's look that stops nothing."""

    place: str
    text: str


@dataclass(slots=True)
class Findings:
    """Collected while a file is read.

    Attributes:
        problems: each stops its item; all of them are told.
        notes: stop nothing.
        empty: fields that the model does not know and that said nothing (null, empty text, list
            or object), by name.
        repeated: what the file says twice in the same words, by name of the field.
    """

    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    empty: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)

    def problem(
        self,
        place: str,
        expected: str,
        *,
        value: str,
        reason: str = "INVALID_FIELD",
        name: str = "",
        field: str = "",
        message: str = "",
    ) -> None:
        """Something cannot be taken.

        Args:
            expected: what would be right.
            value: what was read.
            reason: a name of `mds.v1.ErrorReason`.
            name: of the resource, with its collection.
            field: within the resource.
            message: all of it as a sentence, where the usual one does not say it.
        """
        usual = f"{place} is {shown(value)}; right would be {expected}."
        self.problems.append(
            Problem(
                source=place,
                name=name,
                reason=reason,
                field=field,
                value=value[:1000],
                expected=expected,
                message=message or usual,
            )
        )

    def note(self, place: str, text: str) -> None:
        self.notes.append(Note(place, text))


Locate = Callable[[BundleItem, str], str]


def below(item: BundleItem, field: str) -> str:
    """The place of a resource's field in a file that has the resource's own fields."""
    return f"{item.source}.{field}" if field else item.source


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a file: the items that can be taken, and the findings.

    Attributes:
        locate: where in the file a field of an item stands, by its path in the resource.
        scopes: what the file says that it names in full.
    """

    items: list[BundleItem]
    findings: Findings
    locate: Locate = below
    scopes: Sequence[PruneScope] = ()

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Problems that a server found in the items, with their fields' places in the file."""
        items = {item.source: item for item in self.items}
        found = []
        for problem in problems:
            item = items.get(problem.source)
            told = Problem()
            told.CopyFrom(problem)
            if item is not None:
                told.source = self.locate(item, problem.field)
            found.append(told)
        return found

    def kept(self) -> Counter[tuple[str, str]]:
        """How many fields became properties, by kind of resource and name of the field."""
        counted: Counter[tuple[str, str]] = Counter()
        for item in self.items:
            kind = item.WhichOneof("resource") or ""
            if kind == "removed":
                continue
            resource = getattr(item, kind)
            counted.update((kind, name) for name in resource.properties)
            for unit in item.snapshot.units:
                counted.update((kind, f"units.{name}") for name in unit.properties)
        return counted


def shown(value: str, *, limit: int = 80) -> str:
    """A value as it may stand in a message: quoted, and cut when it is long."""
    return repr(value) if len(value) <= limit else f"{value[:limit]!r}… ({len(value)} characters)"
