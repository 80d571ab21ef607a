"""Which ids a file has given already."""

from control_units.importers.findings import Findings


class Seen:
    """Names of resources with the places where they first stood."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._places: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def is_first(self, name: str, place: str) -> bool:
        """Whether nothing had this name before; else that is a problem at `place`."""
        first = self._places.setdefault(name, place)
        if first == place:
            return True
        _, _, again = name.partition("/")
        self._findings.problem(
            place,
            f"an id that nothing else has; the first is {first}",
            value=again,
            reason="ALREADY_EXISTS",
            name=name,
            field="name",
            message=f"{place} is {again!r} again; it stood at {first} before. Right would be one "
            "entry, or another id.",
        )
        return False
