"""The words that lists of operations are asked with."""

PHASES = (
    "PENDING",
    "QUEUED",
    "EXECUTING",
    "HELD",
    "SUSPENDED",
    "COMPLETED",
    "ERROR",
    "ABORTED",
    "ARCHIVED",
)
ACTIVE = PHASES[:5]
"""Those that have not ended."""

VERBS = ("load", "init", "start", "stop", "deinit", "unload", "recover", "edit")

STEP_STATES = ("PENDING", "EXECUTING", "COMPLETED", "ERROR", "ABORTED", "SKIPPED")

SORTS = {
    "created": "create_time",
    "started": "start_time",
    "ended": "end_time",
    "changed": "update_time",
    "phase": "phase",
    "verb": "verb",
    "author": "author",
    "units": "steps",
    "failed": "failed",
    "id": "name",
}
"""What people sort by, and the field of the protocol."""

LARGEST_FIRST = frozenset({"created", "started", "ended", "changed", "units", "failed"})
