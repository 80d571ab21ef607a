"""Delivers webhooks: whichever replica claims one first, for as long as it keeps saying so.

There is no leader. Each replica looks for webhooks that nobody delivers; a lease that is not
renewed runs out, by the database's clock, and another replica goes on from what is written down.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from functools import partial

import structlog

from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import Asker, Rank
from metadata_server.services.claiming import Claiming
from metadata_server.services.deliveries.postings import Sender
from metadata_server.services.deliveries.webhook_run import Grip, WebhookRun
from metadata_server.services.watching.following import keep_following
from metadata_server.services.watching.tailer import Tailer
from metadata_server.services.watching.watch import Watching
from metadata_server.store.deliveries.webhooks import (
    claim_webhook,
    due_webhooks,
    keep_webhooks,
    release_webhooks,
)
from metadata_server.store.orchestration.operations import Fenced
from metadata_server.store.store import Store
from metadata_server.store.turns import asking

LEASE_US = 6_000_000
RENEW_S = 1.5
LOOK_S = 2.0
LISTEN_S = 60.0
AS_PEOPLE = Asker("webhooks", Rank.PEOPLE, is_patient=True)
MOST_HELD = 200
"""Webhooks that one replica delivers at once; the others wait for a place, or a replica."""
log = structlog.get_logger()


class Delivering:
    """The webhooks that one replica delivers.

    Args:
        replica: its name, for people.
    """

    def __init__(self, store: Store, tailer: Tailer, sender: Sender, *, replica: str) -> None:
        self._store = store
        self._tailer = tailer
        self._watching = Watching(tailer, age_s=0)  # only for what passes of its batches
        self._sender = sender
        self._replica = replica
        self._held: dict[int, tuple[Grip, WebhookRun]] = {}
        self._grips: dict[int, Grip] = {}
        self._claiming = Claiming(
            "webhooks", LOOK_S, tailer.draining, claim=self._claim, carry_on=self._deliver
        )

    @property
    def held(self) -> int:
        """How many webhooks it delivers now."""
        return len(self._held)

    def look(self) -> None:
        """Has it look for webhooks at once."""
        self._claiming.look()

    async def run(self) -> None:
        """Claims webhooks and delivers them, until it is cancelled, or the replica drains."""
        asking.set(AS_PEOPLE)  # many of them must not hold up beats
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(each) for each in (self._listen(), self._keep())]
            await self._claiming.run(tasks)
            for task in beside:
                task.cancel()
            await self._give_back(list(self._grips.values()))

    async def _give_back(self, grips: Sequence[Grip]) -> None:
        """Lets other replicas deliver what this one does not deliver any more."""
        if not grips:
            return
        pairs = [(grip.key, grip.fence) for grip in grips]
        try:
            await self._store.transact(lambda unit: release_webhooks(unit, pairs))
        except Refused as refused:  # then their leases run out
            log.warning("webhooks_not_given_back", reason=refused.reason)
        except Exception:  # a failure at the end of one must not end all
            log.exception("webhooks_not_given_back")
        for grip in grips:
            self._grips.pop(grip.key, None)

    async def _claim(self) -> list[Grip]:
        """Takes webhooks that nobody delivers."""
        room = MOST_HELD - len(self._held)
        due = (await self._store.read(due_webhooks)).value if room > 0 else []
        grips = []
        for key in [key for key in due if key not in self._grips][:room]:
            begun_s = time.monotonic()
            claim = partial(claim_webhook, key=key, replica=self._replica, lease_us=LEASE_US)
            try:
                fence = (await self._store.transact(claim)).value
            except Refused as refused:  # what was claimed before has to be delivered
                log.warning("claims_wait", of="webhooks", reason=refused.reason)
                break
            if fence is not None:
                grips.append(Grip(key, fence, self._replica, begun_s + LEASE_US / 1_000_000))
        return grips

    async def _deliver(self, grip: Grip) -> None:
        """Delivers one webhook; what goes wrong leaves it to whoever claims it next."""
        run = WebhookRun(self._store, self._tailer, self._watching, self._sender, grip)
        self._held[grip.key] = (grip, run)
        self._grips[grip.key] = grip
        try:
            await run.run()
        except Fenced:
            self.look()
        except Refused as refused:
            if not self._tailer.draining.is_set():
                log.warning("webhook_left", reason=refused.reason)
        except Exception:  # the top of a background loop
            log.exception("webhook_run_failed")
        finally:
            self._held.pop(grip.key, None)
        await self._give_back([grip])

    async def _keep(self) -> None:
        """Renews the leases of what is held; who has lost one stops before another begins."""
        while True:
            await asyncio.sleep(random.uniform(0.8, 1.0) * RENEW_S)
            if self._held:
                await self._renew()

    async def _renew(self) -> None:
        begun_s = time.monotonic()
        fences = {key: grip.fence for key, (grip, _) in self._held.items()}
        keep = partial(keep_webhooks, held=fences, lease_us=LEASE_US)
        try:
            ours = (await self._store.transact(keep)).value
        except Refused as refused:
            log.warning("webhooks_not_kept", reason=refused.reason)
            return
        except Exception:  # the top of a background loop
            log.exception("webhooks_not_kept")
            return
        for key, (grip, run) in list(self._held.items()):
            if key in ours and grip.fence == fences.get(key):
                grip.sure_until_s = begun_s + LEASE_US / 1_000_000
            elif key in fences:
                run.look_again()  # and finds that it has another fence

    async def _listen(self) -> None:
        """Hears of webhooks that are declared, changed or deleted."""
        await keep_following(self._tailer, self._follow, missed="webhooks_not_heard")

    async def _follow(self) -> None:
        async with self._tailer.subscribe(kinds={Kind.WEBHOOK}) as changes:
            for _, run in self._held.values():
                run.look_again()
            self.look()
            while True:
                batch = await changes.next(LISTEN_S)
                for change in batch.changes if batch is not None else ():
                    if change.key in self._held:
                        self._held[change.key][1].look_again()
                    elif change.kind is Kind.WEBHOOK:
                        self.look()
