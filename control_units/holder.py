"""Who holds a unit server, as a refusal tells it."""

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
    good-bye. False where that cannot be known from here."""
    told = refused.metadata
    pid = told.get("pid", "")
    if told.get("host") != host or not pid.isdecimal() or int(pid) == 0:
        return False
    try:
        # Dead, but its parent has not asked yet how it ended.
        return psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
