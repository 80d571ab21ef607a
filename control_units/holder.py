"""Who holds a unit server, as a refusal tells it."""

from datetime import UTC, datetime

import psutil

from control_units.client import Refused


def description(refused: Refused) -> str:
    """Host, process, since when, until when."""
    told = refused.metadata
    parts = [f"process {told.get('pid', '?')} on {told.get('host', '?')}"]
    if told.get("address") not in {None, "", told.get("host")}:
        parts.append(f"at {told['address']}")
    if since := told.get("since"):
        parts.append(f"since {since}")
    if lease_end := told.get("lease_end"):
        parts.append(f"lease until {lease_end}")
    return ", ".join(parts)


def has_ended(refused: Refused, host: str) -> bool:
    """Whether the holder was a process of this host that is no more: it died, or could not say
    good-bye. A process that began after it had registered is another one with its number, as in a
    container that was started again. False where that cannot be known from here."""
    told = refused.metadata
    pid = told.get("pid", "")
    if told.get("host") != host or not pid.isdecimal() or int(pid) == 0:
        return False
    try:
        process = psutil.Process(int(pid))
        # A zombie is dead, but its parent has not asked yet how it ended.
        return process.status() == psutil.STATUS_ZOMBIE or began_after(process, told.get("since"))
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def began_after(process: psutil.Process, since: str | None) -> bool:
    """Whether a process began after a time that a server has told; its clock and that of this host
    may differ, and whoever is taken for dead by that is found alive by its next renewal."""
    try:
        then = datetime.fromisoformat(since or "")
    except ValueError:
        return False
    return then.tzinfo is not None and datetime.fromtimestamp(process.create_time(), UTC) > then
