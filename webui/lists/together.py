"""One call for each of several things that somebody has ticked, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from control_units.client import ClientError, Refused
from webui.datasets.problem import field_of
from webui.refusals import told
from webui.site import can_be_mended
from webui.translation import _

T = TypeVar("T")
# Time for all of them, in s.
TOGETHER_SECONDS = 60.0
# Reasons in one sentence after the other.
MOST_TOLD = 20


@dataclass(slots=True)
class Outcome(Generic[T]):
    """What has become of them.

    Attributes:
        done: what was answered, in their order.
        refused: those that were refused, by their ids.
        about_all: the first one was refused for what is missing of all: nobody else was asked.
        failure: after which nobody went on; None: all were asked.
    """

    done: list[T] = field(default_factory=list)
    refused: dict[str, Refused] = field(default_factory=dict)
    about_all: Refused | None = None
    failure: ClientError | TimeoutError | None = None

    @property
    def words(self) -> str:
        """How many are done, where some were refused."""
        counts = {"done": len(self.done), "all": len(self.done) + len(self.refused)}
        return _("%(done)s of %(all)s are done. These were refused:") % counts

    @property
    def words_of_gone(self) -> str:
        """The same, and why of those that are not there any more."""
        gone = [told(why) for why in self.refused.values() if _is_gone(why)]
        return " ".join([self.words, *gone[:MOST_TOLD]])

    @property
    def left(self) -> dict[str, str]:
        """Those that were refused and are there, with why, by their ids."""
        return {id: told(why) for id, why in self.refused.items() if not _is_gone(why)}


async def one_by_one(
    ids: Sequence[str], request_id: str, call: Callable[[str, str], Awaitable[T]]
) -> Outcome[T]:
    """Goes on behind one that is refused for what it is.

    Args:
        request_id: each call's own has a number behind it, so that all may be sent again.
        call: takes an id and a request id.
    """
    outcome: Outcome[T] = Outcome()
    try:
        async with asyncio.timeout(TOGETHER_SECONDS):
            for number, id in enumerate(ids):
                try:
                    outcome.done.append(await call(id, f"{request_id}-{number}"))
                except Refused as refused:
                    if not can_be_mended(refused) or refused.reason == "UNAUTHENTICATED":
                        raise
                    if field_of(refused) and not (outcome.done or outcome.refused):
                        outcome.about_all = refused
                        return outcome
                    outcome.refused[id] = refused
    except (ClientError, TimeoutError) as failure:
        outcome.failure = failure
    return outcome


def _is_gone(refused: Refused) -> bool:
    return refused.reason.endswith("_NOT_FOUND")
