"""Reads and writes of small resources, each recorded: what outages are measured by."""

import asyncio
import itertools
import random
import uuid
from collections.abc import Sequence

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.variable_pb2 import GetVariableRequest, UpdateVariableRequest, Variable

from control_units.client import Client, ClientError
from tests.chaos.clients.outcomes import outcome_of, reason_of
from tests.chaos.history import Outcome, Read, Recorder, Write

CALL_S = 10.0
"""Longest that a call is tried, by the client itself."""


class Probe:
    """One client that reads and writes, one call at a time.

    Args:
        pause_s: between two calls, about.
    """

    def __init__(
        self, name: str, address: str, recorder: Recorder, *, pause_s: float = 0.05
    ) -> None:
        self.name = name
        self._client = Client(address, principal=name, program="chaos", timeout=CALL_S)
        self._recorder = recorder
        self._pause_s = pause_s
        self._numbers = itertools.count(1)
        self._random = random.Random(name)

    async def close(self) -> None:
        await self._client.close()

    async def write_on(self, resources: Sequence[str], stop: asyncio.Event) -> None:
        """Reads one of them, and writes what nobody else writes with the etag that it has."""
        while not stop.is_set():
            resource = self._random.choice(resources)
            read = await self.read(resource)
            if read.outcome is Outcome.OK:
                written = await self.write(resource, read.etag)
                if written.outcome is Outcome.OK and self._random.random() < 0.3:
                    await self.write(resource, written.etag)
            await asyncio.sleep(self._random.uniform(0.5, 1.5) * self._pause_s)

    async def read_on(self, resources: Sequence[str], stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.read(self._random.choice(resources))
            await asyncio.sleep(self._random.uniform(0.5, 1.5) * self._pause_s)

    async def read(self, resource: str) -> Read:
        began = self._recorder.now()
        outcome, reason, found = Outcome.OK, "", Variable()
        try:
            found = await self._client.variables.GetVariable(GetVariableRequest(name=resource))
        except ClientError as error:
            outcome, reason = outcome_of(error), reason_of(error)
        record = Read(
            client=self.name, resource=resource, began=began, ended=self._recorder.now(),
            outcome=outcome, value=found.description, etag=found.etag, revision=found.revision,
            reason=reason,
        )  # fmt: skip
        self._recorder.record(record)
        return record

    async def write(self, resource: str, etag: str) -> Write:
        value, request_id = f"{self.name}-{next(self._numbers)}", uuid.uuid4().hex
        request = UpdateVariableRequest(
            variable=Variable(name=resource, etag=etag, description=value),
            update_mask=FieldMask(paths=["description"]),
            request_id=request_id,
            reason="to see whether it is kept",
        )
        began = self._recorder.now()
        outcome, reason, found = Outcome.OK, "", Variable()
        try:
            found = await self._client.variables.UpdateVariable(request)
        except ClientError as error:
            outcome, reason = outcome_of(error), reason_of(error)
        record = Write(
            client=self.name, resource=resource, request_id=request_id, value=value,
            etag_asked=etag, began=began, ended=self._recorder.now(), outcome=outcome,
            etag=found.etag, revision=found.revision, reason=reason,
        )  # fmt: skip
        self._recorder.record(record)
        return record
