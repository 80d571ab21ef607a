"""A template gets one version after the other, and all its units are moved to each."""

import asyncio
import itertools
import uuid

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.bundle_pb2 import ApplySummary
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.dataset_pb2 import DIRECTION_INPUT, VALUE_TYPE_DOUBLE, Attribute
from mds.v1.edit_pb2 import RebaseControlUnitsRequest
from mds.v1.template_pb2 import GetTemplateRequest, Template, UpdateTemplateRequest

from control_units.client import Client, ClientError
from tests.chaos.clients.outcomes import outcome_of, reason_of
from tests.chaos.history import Bundle, Outcome, Recorder
from tests.chaos.loads import Stage
from tests.chaos.loads.probing import Probing

CLIENT = "rebase"
CALL_S = 120.0
PAUSE_S = 0.2


class Rebase:
    """Units that nobody hosts."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._names: list[str] = []
        self._numbers = itertools.count(1)
        self._recorder: Recorder
        self._template = ""

    async def prepare(self, stage: Stage, probing: Probing) -> None:
        self._client = Client(stage.address, principal=CLIENT, program="chaos")
        self._recorder = stage.recorder
        self._template = f"templates/chaos::Rebased_{probing.token}"
        prefix = f"control_units/CHAOS/{probing.token}/REBASE"
        self._names = [f"{prefix}/{number:05}" for number in range(stage.units)]
        template = Template(
            name=self._template, implementation="chaos::Rebased", attributes=attributes(0)
        )
        units = [ControlUnit(name=each, template=self._template) for each in self._names]
        await self._client.apply([template, *units], reason="units to move", timeout=CALL_S)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if await self._publish():
                await self._move()
            await asyncio.sleep(PAUSE_S)

    async def settle(self) -> None:
        """Nothing of it comes later."""

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _publish(self) -> bool:
        """Whether there is a version that nobody knows of yet."""
        assert self._client is not None, "prepare it first"
        client = self._client
        try:
            now = await client.templates.GetTemplate(GetTemplateRequest(name=self._template))
            template = Template(
                name=self._template, etag=now.etag, attributes=attributes(next(self._numbers))
            )
            mask = FieldMask(paths=["attributes"])
            await client.templates.UpdateTemplate(
                UpdateTemplateRequest(template=template, update_mask=mask, reason="to move to it")
            )
        except ClientError:
            return False
        return True

    async def _move(self) -> None:
        assert self._client is not None, "prepare it first"
        request_id = uuid.uuid4().hex
        request = RebaseControlUnitsRequest(
            template=self._template, request_id=request_id, reason="to the next version"
        )
        began = self._recorder.now()
        outcome, summary, reason = Outcome.UNKNOWN, ApplySummary(), "it ended without a word"
        try:
            stream = self._client.edits.RebaseControlUnits(request, timeout=CALL_S)
            async for response in stream:
                if response.HasField("summary"):
                    summary = response.summary
                    outcome = Outcome.OK if summary.applied else Outcome.REFUSED
                    reason = "" if summary.applied else "it had problems"
        except ClientError as error:
            outcome, reason = outcome_of(error), reason_of(error)
        self._recorder.record(
            Bundle(
                client=CLIENT, request_id=request_id, values=dict.fromkeys(self._names, ""),
                began=began, ended=self._recorder.now(), outcome=outcome,
                revision=summary.position.revision, reason=reason,
            )
        )  # fmt: skip


def attributes(number: int) -> list[Attribute]:
    """Of one version; each differs from all others."""
    return [
        Attribute(
            name="current", direction=DIRECTION_INPUT, type=VALUE_TYPE_DOUBLE, unit="A",
            maximum=str(1_000 + number),
        )
    ]  # fmt: skip
