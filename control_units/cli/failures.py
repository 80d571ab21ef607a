"""What a failed call means to a person at a terminal, and to a script."""

from collections.abc import Iterator, Mapping

import click
from mds.v1.difference_pb2 import Conflict, FieldConflict

from control_units.cli.kinds import kind_of
from control_units.cli.output.differences import told
from control_units.cli.output.tables import columns
from control_units.client import Busy, Denied, Fault, Refused, Unreachable

PROBLEMS = 1
UNREACHABLE = 3

ADVICE: Mapping[str, str] = {
    "ETAG_MISMATCH": "Somebody else has changed it: read it again, then write.",
    "PLAN_MOVED": "Run it again to see the plan as it is now; what waited, give anew.",
    "CHANGE_TOO_LARGE": "Send it in parts: none may depend on a later one.",
    "CHANGED_SINCE": "Say --skip-invalid to take back the rest.",
    "REASON_REQUIRED": "Say why with --reason.",
    "STILL_IN_USE": "Remove what depends on it first, or in the same bundle (`mds apply`).",
    "HISTORY_TRIMMED": "What is older is no longer kept; `mds changes` shows what is.",
    "HISTORY_RESET": "Such a revision is not there yet, or the database was restored and counts anew.",
    "SCHEMA_UNKNOWN": "The server's database needs `mds migrate`.",
    "DATABASE_UNAVAILABLE": "The server runs; it is its database that has failed. Try again later.",
    "CONTENTION": "Others write the same things. Try again.",
    "TOO_BUSY": "Try again later.",
    "DRAINING": "The server is stopping. Try again, or name another one with --address.",
    "OUTCOME_UNKNOWN": "It may have been done or not: look before you repeat it.",
    "UNITS_BLOCKED": "Order what is in their way as well, or say --even-so.",
    "NOTHING_TO_RETRY": "`mds operation show` tells where its steps stand.",
    "OPERATION_NOT_FOUND": "`mds operation list` shows what there is.",
    "UNAUTHENTICATED": "Set MDS_TOKEN, or MDS_TOKEN_FILE to a file that has the token. An admin makes "
    "one with `mds token create`; where none is left, `mds admin-token` does, beside the database.",
    "ROLE_REQUIRED": "`mds whoami` says who you are here; an admin can make you another token.",
    "TOKEN_NOT_FOUND": "`mds token list` shows what there is.",
    "UNDECLARED": "Declare it with `mds adopt`.",
    "UNIMPLEMENTED": "The server is older than this program: it does not know this call.",
    "ALREADY_EXISTS": "`mds show` shows what is there; `mds edit` changes it.",
    "ALREADY_RUNNING": "End that one first, or take over on purpose (`take_over`).",
    "CAMPAIGN_CLOSED": "`mds campaign list --open` shows those that take orders.",
    "CLASS_NOT_HOSTED": "`mds show unit_servers/ID` has the classes that it can build.",
    "DEPENDENCY_CYCLE": "`mds audit dependency-cycle` finds them all.",
    "FORBIDDEN_BY_GUARD": "`mds guard list` shows why; with --stage it is done once it may be.",
    "INVALID_FILTER": "Words and signs of filters are in docs/how-to/filter.md.",
    "NO_AGENT": "Set `launch.agent` of the unit server, or start it by hand.",
    "AGENT_OUT_OF_TOUCH": "`mds agent status` shows which agents answer.",
    "NOT_A_DRAFT": "Begin one: `mds template draft TEMPLATE`.",
    "OPERATION_ENDED": "Give the order anew; `mds operation list --active` shows what goes on.",
    "UNIT_IN_MAINTENANCE": "`mds maintenance list` shows why; `mds maintenance end ID` ends it.",
    "VALUES_MISSING": "Say --even-so to go on without them.",
    "WATCHER_TOO_SLOW": "Watch again from the last position, or less.",
    "REVISION_NOT_REACHED": "The server is behind the one that answered before. Try again.",
    "INTERNAL_FAULT": "This is a fault of the server; its log has a line with the request id.",
}
"""What to do next, by reason of the refusal."""

NOT_FOUND = "_NOT_FOUND"
_SAYS_IT_ITSELF = ("INVALID_", "OVERRIDE_", "MESSAGE_")


def advice_about(reason: str) -> str:
    """What to do next; empty where the refusal itself says what would be right."""
    if reason in ADVICE:
        return ADVICE[reason]
    kind = kind_of(reason.removesuffix(NOT_FOUND).lower()) if reason.endswith(NOT_FOUND) else None
    if kind:
        return f"`mds list {kind.replace('_', '-')}` shows what there is."
    if reason.startswith(_SAYS_IT_ITSELF):
        return ""
    return f"`mds explain {reason}` says what it means."


# Whoever is asked about these looks into the server's log.
_FOR_THE_OPERATOR = (Busy, Denied, Fault)


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
        told = error.message
        lines.extend(
            f"  {v.field}: {v.description}" for v in error.violations if v.description not in told
        )
        for conflict in error.conflicts:
            lines.extend(_conflict_lines(conflict))
        if advice := advice_about(error.reason):
            lines.append(advice)
        if isinstance(error, _FOR_THE_OPERATOR) and error.request_id:
            lines.append(f"Request id: {error.request_id}")
        return cls("\n".join(lines))


def _conflict_lines(conflict: Conflict) -> Iterator[str]:
    """What somebody else has done meanwhile, beside what was read and what was sent."""
    author = conflict.author or "somebody"
    what = "changed it" if conflict.etag else "deleted it"
    why = f": {conflict.reason}" if conflict.reason else ""
    yield f"  {conflict.name}: {author} {what} meanwhile{why}"
    if conflict.fields:
        rows = [
            (field.path, _value(field, "read"), _value(field, "sent"), _value(field, "now"))
            for field in conflict.fields
        ]
        yield from columns(("field", "read", "sent", "now"), rows, "    ")


def _value(field: FieldConflict, side: str) -> str:
    return told(getattr(field, side) if field.HasField(side) else None)  # type: ignore[arg-type]


class NoServer(Failure):
    """No server answered in time."""

    exit_code = UNREACHABLE
