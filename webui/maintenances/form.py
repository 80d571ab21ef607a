"""A maintenance as texts that somebody types, and back."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.maintenance_pb2 import Maintenance

from webui.datasets.form import SETTLED, said_upon, sent_back
from webui.datasets.problem import Problem, by_path, without_field
from webui.names import id_of
from webui.translation import _

FIELDS = ("id", "description", "control_units", "unit_servers", "id_prefixes", "begin", "end")
_DRAWN = "%Y-%m-%dT%H:%M:%S"
# What of it can be changed, and in which field of the form that stands.
MASK = {
    "description": "description",
    "control_units": "control_units",
    "unit_servers": "unit_servers",
    "id_prefixes": "id_prefixes",
    "begin_time": "begin",
    "end_time": "end",
}


@dataclass(frozen=True, slots=True)
class Form:
    """One form, drawn or sent.

    Attributes:
        texts: by the names in FIELDS; ids stand one in a line.
        etag: of the maintenance that is changed; empty: it is a new one.
        revision: of its last change; leads to what was read.
        problems: what is wrong, by field.
        about: of a new one, by what its units were chosen.
        is_settled: each text is one of those that stood in a resource, and nobody has typed it.
    """

    texts: Mapping[str, str]
    etag: str = ""
    reason: str = ""
    request_id: str = ""
    problems: Mapping[str, str] | None = None
    revision: str = ""
    about: str = ""
    is_settled: bool = False

    @classmethod
    def sent(cls, posted: Mapping[str, str]) -> "Form":
        texts = {field: sent_back(posted.get(field, "")) for field in FIELDS}
        texts |= {field: _as_drawn(texts[field].strip()) for field in ("begin", "end")}
        return cls(
            texts,
            posted.get("etag", ""),
            posted.get("reason", ""),
            posted.get("request_id", ""),
            revision=posted.get("revision", ""),
            about=posted.get("about", ""),
            is_settled=SETTLED in posted,
        )

    def upon(self, before: "Form | None") -> "Form":
        """With what somebody has typed without white space around it, and all else just as it was.

        Args:
            before: as the maintenance was that it was drawn from; None: it is a new one.
        """
        was = before.texts if before else {}
        texts = {
            field: said_upon(was.get(field, ""), text, is_typed=not self.is_settled)
            for field, text in self.texts.items()
        }
        return replace(self, texts=texts, is_settled=False)

    def mask(self, before: "Form") -> list[str]:
        """What it changes. A time that stands there as it was drawn is left alone: it has more
        digits than people read, and some hours have two times each."""
        texts = before.texts
        return [path for path, field in MASK.items() if self.texts[field] != texts[field]]

    @classmethod
    def of(cls, maintenance: Maintenance) -> "Form":
        return cls(
            {
                "id": id_of(maintenance.name),
                "description": maintenance.description,
                "control_units": "\n".join(map(id_of, maintenance.control_units)),
                "unit_servers": "\n".join(map(id_of, maintenance.unit_servers)),
                "id_prefixes": "\n".join(maintenance.id_prefixes),
                "begin": _local(maintenance, "begin_time"),
                "end": _local(maintenance, "end_time"),
            },
            maintenance.etag,
            revision=str(maintenance.revision),
        )

    @classmethod
    def new(cls, about: str, **lines: Sequence[str]) -> "Form":
        """One that nobody has typed into, for these units, unit servers or groups."""
        texts = dict.fromkeys(FIELDS, "") | {name: "\n".join(ids) for name, ids in lines.items()}
        return cls(texts | {"id": new_id()}, about=about)

    def wrong(self, problems: Sequence[Problem]) -> "Form":
        return replace(self, problems=by_path(problems))

    def read(self) -> tuple[Maintenance, list[Problem]]:
        """The maintenance that it describes, and what nobody can read in it."""
        texts, problems = self.texts, []
        found = Maintenance(
            name=f"maintenances/{texts['id']}",
            etag=self.etag,
            description=texts["description"],
            control_units=_names("control_units", texts["control_units"]),
            unit_servers=_names("unit_servers", texts["unit_servers"]),
            id_prefixes=_lines(texts["id_prefixes"]),
        )
        for field in ("begin", "end"):
            if not texts[field]:
                continue
            try:
                time = datetime.fromisoformat(texts[field]).astimezone(UTC)
            except ValueError:
                problems.append(Problem(field, _("This is no time: write it as 2026-11-15T03:12.")))
                continue
            getattr(found, f"{field}_time").CopyFrom(_stamp(time))
        if not (found.control_units or found.unit_servers or found.id_prefixes):
            problems.append(
                Problem("control_units", _("Say at least one unit, unit server or group."))
            )
        return found, problems


def words_of(field: str) -> str:
    """A field, as people call it."""
    words = {
        "description": _("Why, for all who wonder"),
        "control_units": _("Control units"),
        "unit_servers": _("Unit servers"),
        "id_prefixes": _("Groups"),
        "begin": _("From"),
        "end": _("Until"),
    }
    return words.get(field, field)


def problem_of(field: str, description: str) -> Problem:
    """What the server says of `maintenance.control_units[2]`, beside its field of the form."""
    short = field.removeprefix("maintenance.")
    name = short.partition("[")[0]
    return Problem(
        MASK.get(name, "id" if name == "name" else ""), without_field(field, description)
    )


def new_id() -> str:
    """One that sorts by when it was made, and is short enough to be typed."""
    return f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(2)}"


def _local(maintenance: Maintenance, field: str) -> str:
    """As a field of dates and times has it, in the time zone of the process."""
    if not maintenance.HasField(field):  # type: ignore[arg-type]
        return ""
    stamp: Timestamp = getattr(maintenance, field)
    return f"{stamp.ToDatetime(tzinfo=UTC).astimezone():{_DRAWN}}"


def _as_drawn(text: str) -> str:
    """A time as `_local` writes it: browsers leave out seconds that are zero."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time if time.tzinfo is None else time.astimezone():{_DRAWN}}"


def _stamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.split("\n") if line.strip()))


def _names(collection: str, text: str) -> list[str]:
    return [f"{collection}/{id.removeprefix(f'{collection}/')}" for id in _lines(text)]
