"""What a call is known by: one id in the caller's log, in ours, and in the history."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from contextvars import ContextVar

from metadata_server.domain.refused import Refused, WrongField

REQUEST_ID = "x-request-id"
FORMER_REQUEST_ID = "mds-request-id"
"""As clients of release 0.1 send it."""
MAXIMUM_REQUEST_ID = 64
SENDABLE = re.compile(r"[!-~]+")
PRINTABLE = re.compile(r"[ -~]*")


class Named:
    """The id of a call, shared with the tasks that it begins and with the HTTP request it came in.

    Attributes:
        request_id: empty: nobody has called yet.
        within: of the larger request that the call is a part of, as its caller says: of a page,
            of a script; empty: it is none.
    """

    __slots__ = ("request_id", "within")

    def __init__(self) -> None:
        self.request_id = ""
        self.within = ""

    def begin(self, metadata: Mapping[str, str]) -> None:
        """As the caller says, else by an id of ours."""
        said = metadata.get(REQUEST_ID) or metadata.get(FORMER_REQUEST_ID, "")
        self.within = ""
        # For people alone: no secret, and the system's own source costs as much as the call.
        self.request_id = given_id(said) or f"{random.getrandbits(128):032x}"

    def take(self, request_id: str) -> None:
        """A change has an id of its own, which is the same as often as it is repeated."""
        if request_id and request_id != self.request_id:
            self.within = self.within or self.request_id
            self.request_id = request_id


present: ContextVar[Named] = ContextVar("named")


def begin_request() -> Named:
    """What is called from now on in this task comes in one HTTP request."""
    named = Named()
    present.set(named)
    return named


def name_of_call() -> Named:
    """Of the present call; a fresh one where nothing has begun."""
    return present.get(None) or begin_request()


def present_request_id() -> str:
    """Empty: there is no call."""
    named = present.get(None)
    return named.request_id if named else ""


def check_request_id(request_id: str) -> None:
    """Passes when the id of a change can be sent back: metadata of gRPC and headers take no more, and
    an answer that cannot be sent is lost, with the change done.

    Raises:
        Refused: INVALID_FIELD.
    """
    if len(request_id) > MAXIMUM_REQUEST_ID or not PRINTABLE.fullmatch(request_id):
        expected = f"printable ASCII, at most {MAXIMUM_REQUEST_ID} characters"
        raise Refused.wrong_fields([WrongField("request_id", request_id, expected)])


def given_id(said: str) -> str:
    """An id as it goes into logs and history; empty: this is none."""
    cut = said[:MAXIMUM_REQUEST_ID]
    return cut if SENDABLE.fullmatch(cut) else ""
