"""What an error means for what its call was to do."""

from control_units.client import Busy, ClientError, Fault, Refused, Unreachable
from tests.chaos.history import Outcome

_NOBODY_KNOWS = (Unreachable, Busy, Fault)


def outcome_of(error: ClientError) -> Outcome:
    """REFUSED only where it has not been done and never will be."""
    return Outcome.UNKNOWN if isinstance(error, _NOBODY_KNOWS) else Outcome.REFUSED


def reason_of(error: ClientError) -> str:
    """A reason of the contract; of what has none, all that is known."""
    if isinstance(error, Refused) and not isinstance(error, Fault):
        return error.reason
    return f"{type(error).__name__}: {error}"[:200]
