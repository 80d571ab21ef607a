"""Who shows a token: asked of the server, and remembered for some seconds."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

from mds.v1.token_pb2 import WhoAmIRequest

from control_units.client import Client, ClientError, Refused, Unreachable
from webui.access.person import STRANGER, Person
from webui.access.shown import showing

# What is shown of somebody may be so old, in s. What they do, the server checks at each call.
FRESH_SECONDS = 3.0
# A server that did not answer is asked again after so long, in s: each page waits for it.
PAUSE_SECONDS = 2.0
# All servers together; a browser that hears nothing for twice as long takes the page for lost.
ASK_SECONDS = 2.0
MOST_REMEMBERED = 1024


class NotLoggedIn(Exception):
    """The server wants a token, and this one is none that is good.

    Attributes:
        reason: what it says, for people.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Known:
    person: Person
    at: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.at < FRESH_SECONDS

    @property
    def is_over(self) -> bool:
        return 0 < self.person.end_s <= time.time()


class Callers:
    """Holds no token: only whose the hash of one is."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self._asked_in_vain = -PAUSE_SECONDS
        self._asks: bool | None = None

    @property
    def asks(self) -> bool | None:
        """Whether the server wants tokens; None: it has not answered yet."""
        return self._asks

    async def who(self, token: str, *, anew: bool = False) -> Person:
        """
        Args:
            token: its text; empty: none was shown.
            anew: the server is asked, whatever is remembered.

        Raises:
            NotLoggedIn: only with another token.
            ClientError: the server does not answer, and did not know this one before.
        """
        key = hashlib.sha256(token.encode()).digest()
        known = self._known.get(key)
        if known is not None and known.is_fresh and not known.is_over and not anew:
            return known.person
        try:
            person = await self._asked(token)
        except NotLoggedIn:
            self._known.pop(key, None)
            raise
        except ClientError:
            return self._without_answer(known)
        self._known[key] = Known(person, time.monotonic())
        self._known.move_to_end(key)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return person

    def knows(self, token: str) -> bool:
        """Whether it was good here, a moment ago or long before."""
        return hashlib.sha256(token.encode()).digest() in self._known

    def forget(self, token: str) -> None:
        """The server has just refused it."""
        self._known.pop(hashlib.sha256(token.encode()).digest(), None)

    async def _asked(self, token: str) -> Person:
        if time.monotonic() - self._asked_in_vain < PAUSE_SECONDS:
            raise Unreachable(self._client.address, "it did not answer a moment ago.")
        failure: ClientError = Unreachable(self._client.address, "")
        end = time.monotonic() + ASK_SECONDS
        # A replica that has just died is no reason to doubt anybody: another one is asked.
        for _try in self._client.addresses or ("",):
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                with showing(token):
                    told = await self._client.tokens.WhoAmI(WhoAmIRequest(), timeout=left)
            except Refused as refused:
                if refused.reason == "UNAUTHENTICATED":
                    self._asks = True
                    raise NotLoggedIn(refused.message) from None
                failure = refused
            except ClientError as silent:
                failure = silent
            else:
                self._asks = told.authenticated
                return Person.of(told)
        self._asked_in_vain = time.monotonic()
        raise failure

    def _without_answer(self, known: Known | None) -> Person:
        """Nobody can be logged out while nobody answers, and nothing can be done either: who was
        known stays so. Before the first answer this process has nothing to show to anybody."""
        if known is not None and not known.is_over:
            return known.person
        if self._asks is not True:
            return STRANGER
        raise Unreachable(self._client.address, "who calls cannot be checked.")
