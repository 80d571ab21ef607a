"""Orders to a whole facility, level by level: to stop, to start, and again."""

import asyncio
import itertools
import uuid

from google.protobuf.duration_pb2 import Duration
from mds.v1.edit_pb2 import UnitSelection
from mds.v1.operation_pb2 import (
    OPERATION_PHASE_ABORTED,
    OPERATION_PHASE_COMPLETED,
    OPERATION_PHASE_ERROR,
    CreateOperationRequest,
    GetOperationRequest,
    Operation,
    OrderVerb,
)
from mds.v1.state_pb2 import STATE_RUNNING

from control_units.client import Client, ClientError
from tests.chaos.clients.outcomes import outcome_of, reason_of
from tests.chaos.history import Ordered, Outcome, Recorder
from tests.chaos.loads import Stage
from tests.chaos.loads.facility import Facility
from tests.chaos.loads.probing import Probing

CLIENT = "orders"
MOST_UNITS, SERVER_SIZE = 1_000, 50
VERBS = (OrderVerb.ORDER_VERB_STOP, OrderVerb.ORDER_VERB_START)
LOOK_S = 0.3
STEP_TIMEOUT = Duration(seconds=40)
ENDS_WITHIN_S = 60.0
ENDED = {OPERATION_PHASE_COMPLETED, OPERATION_PHASE_ERROR, OPERATION_PHASE_ABORTED}


class Orders:
    """One operation after the other; the next begins when the last has ended."""

    facility: Facility

    def __init__(self) -> None:
        self._client: Client | None = None
        self._recorder: Recorder
        self._verbs = itertools.cycle(VERBS)
        self._under_way = ""

    async def prepare(self, stage: Stage, probing: Probing) -> None:
        units = min(stage.units, MOST_UNITS)
        size = min(SERVER_SIZE, max(1, units // 4))
        self.facility = Facility(
            f"{probing.token}/ORDERS", stage.folder, servers=units // size, units_each=size
        )
        self._recorder = stage.recorder
        self._client = Client(stage.address, principal=CLIENT, program="chaos")
        await self.facility.declare(self._client, STATE_RUNNING)
        await self.facility.start(",".join(stage.replicas))
        await self.facility.until_current(self._client)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            ordered = await self._order(next(self._verbs))
            self._under_way = ordered.operation
            if ordered.operation:
                await self._follow(ordered.operation, stop)
            self._under_way = ""
            await asyncio.sleep(LOOK_S)

    async def _follow(self, operation: str, stop: asyncio.Event) -> None:
        """To its end; once it is told to stop, not for ever: the checker tells what has not ended."""
        give_up: float | None = None
        while not await self._has_ended(operation):
            if stop.is_set():
                give_up = give_up or self._recorder.now() + ENDS_WITHIN_S
                if self._recorder.now() > give_up:
                    return
            await asyncio.sleep(LOOK_S)

    async def settle(self) -> None:
        assert self._client is not None, "prepare it first"
        operation = self._under_way
        while operation and not await self._has_ended(operation):
            await asyncio.sleep(LOOK_S)
        await self.facility.until_in_touch(self._client)

    async def close(self) -> None:
        if self._client is not None:
            await self.facility.close()
            await self._client.close()

    async def _order(self, verb: "OrderVerb.ValueType") -> Ordered:
        assert self._client is not None, "prepare it first"
        request_id = uuid.uuid4().hex
        selection = UnitSelection(id_prefixes=[self.facility.prefix])
        request = CreateOperationRequest(
            operation=Operation(verb=verb, selection=selection, step_timeout=STEP_TIMEOUT),
            request_id=request_id,
            reason="to see how it ends",
        )  # fmt: skip
        began = self._recorder.now()
        outcome, name, reason = Outcome.OK, "", ""
        try:
            name = (await self._client.operations.CreateOperation(request)).name
        except ClientError as error:
            outcome, reason = outcome_of(error), reason_of(error)
        record = Ordered(
            client=CLIENT, operation=name, request_id=request_id,
            verb=OrderVerb.Name(verb).removeprefix("ORDER_VERB_"), plan=self.facility.units,
            began=began, ended=self._recorder.now(), outcome=outcome, reason=reason,
        )  # fmt: skip
        self._recorder.record(record)
        return record

    async def _has_ended(self, operation: str) -> bool:
        """False also where nobody can tell now."""
        assert self._client is not None, "prepare it first"
        try:
            now = await self._client.operations.GetOperation(GetOperationRequest(name=operation))
        except ClientError:
            return False
        return now.phase in ENDED
