"""What a failed call means to a person at a terminal, and to a script."""

from collections.abc import Mapping

import click

from control_units.client import Refused, Unreachable

PROBLEMS = 1
UNREACHABLE = 3

ADVICE: Mapping[str, str] = {
    "ETAG_MISMATCH": "Somebody else has changed it: read it again, then write.",
    "SCHEMA_UNKNOWN": "The server's database needs `mds migrate`.",
    "DATABASE_UNAVAILABLE": "The server runs; it is its database that has failed. Try again later.",
    "CONTENTION": "Others write the same things. Try again.",
    "TOO_BUSY": "Try again later.",
    "DRAINING": "The server is stopping. Try again, or name another one with --address.",
    "OUTCOME_UNKNOWN": "It may have been done or not: look before you repeat it.",
    "UNDECLARED": "Declare it with `mds adopt`.",
    "INTERNAL_FAULT": "This is a fault of the server; its log has a line with the request id.",
}
"""What to do next, by reason of the refusal."""


class Failure(click.ClickException):
    """A refused call, said once."""

    exit_code = PROBLEMS

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """A `ClientError` in words."""
        if isinstance(error, Unreachable):
            advice = "Is one running (`mds serve`)? Name it with --address or MDS_ADDRESS."
            return NoServer(f"{str(error).rstrip('.')}. {advice}")
        if not isinstance(error, Refused):
            return cls(str(error))
        lines = [f"{error.message} ({error.reason})"]
        lines.extend(f"  {v.field}: {v.description}" for v in error.violations)
        if error.reason in ADVICE:
            lines.append(ADVICE[error.reason])
        return cls("\n".join(lines))


class NoServer(Failure):
    """No server answered in time."""

    exit_code = UNREACHABLE
