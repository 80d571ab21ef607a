"""What is wrong, as data, with what proves it."""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Violation:
    """
    Attributes:
        guarantee: that does not hold.
        what: in words.
        proof: records of the history, and parts of the final state.
    """

    guarantee: str
    what: str
    proof: tuple[object, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.guarantee}: {self.what}"]
        lines += [f"    {type(each).__name__} {_told(each)}" for each in self.proof]
        return "\n".join(lines)


def _told(what: object) -> str:
    return msgspec.json.encode(what).decode()
