"""A request id that cannot be sent back is refused, before anything is done; on every face."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import aiohttp
import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from mds.v1.bundle_pb2 import ApplyRequest, BundleItem
from mds.v1.variable_pb2 import CreateVariableRequest, GetVariableRequest, Variable
from yarl import URL

from control_units.client import Client, Invalid, NotFound
from metadata_server.api.services import SERVED, services_of
from tests.stages.replica import Replica

NIGHTLY, BROKEN = "nächtlich-1", "a\nb"
UNSENDABLE = [NIGHTLY, BROKEN, "a\x00", "a\x7f", "\u2028", "x" * 65]
SENDABLE = ["once more", "~!,;=%", "x" * 64]


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address) as client:
        yield client


def creation(id: str, request_id: str) -> CreateVariableRequest:
    variable = Variable(name=f"variables/{id}", value="1")
    return CreateVariableRequest(variable=variable, request_id=request_id)


async def is_there(client: Client, id: str) -> bool:
    try:
        await client.variables.GetVariable(GetVariableRequest(name=f"variables/{id}"))
    except NotFound:
        return False
    return True


async def test_over_grpc_it_is_refused_and_nothing_is_written(client: Client) -> None:
    for number, request_id in enumerate(UNSENDABLE):
        for _ in range(2):
            with pytest.raises(Invalid, match="INVALID_FIELD") as refused:
                await client.variables.CreateVariable(creation(f"g{number}", request_id))
            assert refused.value.message.startswith(f"request_id is {request_id!r}; ")
            assert "printable ASCII" in refused.value.message
            assert "64" in refused.value.message
        assert not await is_there(client, f"g{number}")
    for number, request_id in enumerate(SENDABLE):
        await client.variables.CreateVariable(creation(f"h{number}", request_id))


async def test_over_rest_it_is_refused_and_nothing_is_written(
    client: Client, replica: Replica
) -> None:
    async with aiohttp.ClientSession() as http:
        for number, request_id in enumerate([*UNSENDABLE, *SENDABLE]):
            url = f"{replica.http}/v1/variables?requestId={quote(request_id)}"
            body = {"name": f"variables/r{number}", "value": "1"}
            async with http.post(URL(url, encoded=True), json=body) as answer:
                told = await answer.json()
                if request_id in SENDABLE:
                    assert (answer.status, answer.headers["X-Request-Id"]) == (201, request_id)
                    continue
            assert answer.status == 400, told
            (violation,) = told["error"]["details"][1]["fieldViolations"]
            assert violation["field"] == "request_id"
            assert not await is_there(client, f"r{number}")


async def test_a_bundle_with_one_is_refused_too(client: Client, replica: Replica) -> None:
    async def said() -> AsyncIterator[ApplyRequest]:
        request = ApplyRequest(end=True)
        request.header.request_id = NIGHTLY
        request.items.append(BundleItem(variable=Variable(name="variables/b", value="1")))
        yield request

    with pytest.raises(Invalid, match="request_id is"):
        async for _ in client.bundles.Apply(said()):
            pass
    line = {"header": {"requestId": BROKEN}, "end": True}
    line["items"] = [{"variable": {"name": "variables/b", "value": "1"}}]
    async with aiohttp.ClientSession() as http:
        headers = {"Content-Type": "application/x-ndjson"}
        url = f"{replica.http}/v1/bundles:apply"
        async with http.post(url, data=json.dumps(line), headers=headers) as answer:
            assert "request_id is" in await answer.text()
    assert not await is_there(client, "b")


def changing() -> Iterator[MethodDescriptor]:
    """Every method whose request has an id."""
    for service in (each for module in SERVED for each in services_of(module)):
        for method in service.methods:
            if "request_id" in method.input_type.fields_by_name:
                yield method


NAME_MISSING = re.compile(r"(\S+) is ''; right would be (\w+|\{collection\})/\{id\}")
METHODS = {method.full_name: method for method in changing()}


@pytest.mark.parametrize("name", METHODS)
async def test_no_method_takes_one(lasting_replica: Replica, name: str) -> None:
    service, _, method = name.rpartition(".")
    request: Any = GetMessageClass(METHODS[name].input_type)(request_id=NIGHTLY)
    async with grpc.aio.insecure_channel(lasting_replica.address) as channel:
        call: Any = channel.unary_stream(f"/{service}/{method}")
        message = await refusal(call(request.SerializeToString(), timeout=10))
        while told := NAME_MISSING.match(message):  # some look at a name first
            *outer, field = told[1].split(".")
            holder = getattr(request, outer[0]) if outer else request
            setattr(holder, field, told[2].replace("{collection}", "variables") + "/x")
            message = await refusal(call(request.SerializeToString(), timeout=10))
    assert message.startswith(f"request_id is {NIGHTLY!r}; right would be printable ASCII"), message


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for _ in call:
            pass
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT, refused.value
    return str(refused.value.details())
