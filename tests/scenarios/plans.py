"""A bundle on its way to a replica, and everything that came back."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mds.v1.bundle_pb2 import (
    ITEM_ACTION_UNSPECIFIED,
    ApplyProgress,
    ApplyRequest,
    ApplySummary,
    BundleHeader,
    BundleItem,
    ItemAction,
    ItemResult,
    Problem,
)

from control_units.client import Client


@dataclass
class Told:
    """All that a call said."""

    summary: ApplySummary = field(default_factory=ApplySummary)
    results: list[ItemResult] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    progress: list[ApplyProgress] = field(default_factory=list)

    def take(self, response: Any) -> None:
        self.results += response.results
        self.problems += response.problems
        if response.HasField("progress"):
            self.progress.append(response.progress)
        elif response.HasField("summary"):
            self.summary = response.summary

    def actions(self) -> dict[str, str]:
        """What became of each name, as the protocol writes it, without its prefix."""
        prefix = ItemAction.Name(ITEM_ACTION_UNSPECIFIED).removesuffix("UNSPECIFIED")
        return {
            each.name: ItemAction.Name(each.action).removeprefix(prefix) for each in self.results
        }


async def apply(client: Client, items: Iterable[BundleItem], header: BundleHeader) -> Told:
    requests = [ApplyRequest(header=header), ApplyRequest(items=items, end=True)]
    told = Told()
    async for response in client.bundles.Apply(iter(requests)):
        told.take(response)
    return told
