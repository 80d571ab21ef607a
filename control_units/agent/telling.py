"""Calls that failed, as lines of the log tell them."""

from control_units.client import ClientError


def told(error: ClientError) -> dict[str, str]:
    """What went wrong, and by which id the server's log tells more of the call."""
    return {"error": str(error), "request_id": error.request_id}
