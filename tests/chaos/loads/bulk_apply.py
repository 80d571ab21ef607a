"""Bundles over all units of a facility, one after the other, each wholly or not at all."""

import asyncio
import itertools
import uuid

from mds.v1.bundle_pb2 import ON_CONFLICT_REPLACE, BundleHeader
from mds.v1.control_unit_pb2 import ControlUnit

from control_units.client import Client, ClientError
from control_units.client.bundles import NotApplied
from tests.chaos.clients.outcomes import outcome_of, reason_of
from tests.chaos.history import Bundle, Outcome, Recorder
from tests.chaos.loads import Stage
from tests.chaos.loads.probing import Probing

CLIENT = "bulk"
CALL_S = 120.0
PAUSE_S = 0.2


class BulkApply:
    """Units that nobody hosts get another description each time."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._names: list[str] = []
        self._numbers = itertools.count(1)
        self._recorder: Recorder
        self._template = ""

    async def prepare(self, stage: Stage, probing: Probing) -> None:
        self._client = Client(stage.address, principal=CLIENT, program="chaos")
        self._recorder = stage.recorder
        self._template = probing.template
        prefix = f"control_units/CHAOS/{probing.token}/BULK"
        self._names = [f"{prefix}/{number:05}" for number in range(stage.units)]
        first = await self._apply()
        assert first.outcome is Outcome.OK, first.reason

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._apply()
            await asyncio.sleep(PAUSE_S)

    async def settle(self) -> None:
        """Nothing of it comes later."""

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _apply(self) -> Bundle:
        assert self._client is not None, "prepare it first"
        value, request_id = f"{CLIENT}-{next(self._numbers)}", uuid.uuid4().hex
        units = [
            ControlUnit(name=name, template=self._template, description=value)
            for name in self._names
        ]
        header = BundleHeader(request_id=request_id, on_conflict=ON_CONFLICT_REPLACE)
        began = self._recorder.now()
        outcome, revision, reason = Outcome.OK, 0, ""
        try:
            told = await self._client.apply(units, header, reason="to try it", timeout=CALL_S)
            revision = told.summary.position.revision
        except NotApplied as problems:
            outcome, reason = Outcome.REFUSED, str(problems)
        except ClientError as error:
            outcome, reason = outcome_of(error), reason_of(error)
        record = Bundle(
            client=CLIENT, request_id=request_id, values=dict.fromkeys(self._names, value),
            began=began, ended=self._recorder.now(), outcome=outcome, revision=revision,
            reason=reason,
        )  # fmt: skip
        self._recorder.record(record)
        return record
