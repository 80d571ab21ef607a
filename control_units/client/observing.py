"""What may be known of calls from outside: how they end, how often they are tried."""

from control_units.client.errors import ClientError, Refused


class CallObserver:
    """Is told what becomes of calls; this one does not listen. Methods are named like
    `Templates.GetTemplate`."""

    def ended(self, method: str, code: str, seconds: float) -> None:
        """A call has ended, after all its tries."""

    def tries_again(self, method: str, cause: str) -> None:
        """A call is sent again."""

    def stream_begins(self, method: str) -> None:
        """A stream is open, until it is told how it ended."""

    def stream_ended(self, method: str, code: str) -> None:
        """A stream has ended: whoever needs it opens another one."""


def method_of(path: str) -> str:
    """`Templates.GetTemplate` for `/mds.v1.Templates/GetTemplate`."""
    service, _, method = path.rpartition("/")
    return f"{service.rpartition('.')[2]}.{method}"


def code_of(failure: ClientError) -> str:
    """The name of the status of a call that failed."""
    return failure.code.name if isinstance(failure, Refused) else "UNAVAILABLE"


def cause_of(failure: ClientError) -> str:
    """Why a call is sent again: the reason of a refusal, in small letters, or that nobody
    answered."""
    return failure.reason.lower() if isinstance(failure, Refused) else "unreachable"
