"""Whoever has written, or seen, a revision reads nothing older: at any replica, by any face."""

import aiohttp
import grpc
import pytest
from mds.v1 import variable_pb2, variable_pb2_grpc

from metadata_server.domain.refused import Refused
from metadata_server.services.watching.reaching import minimum_of
from tests.conftest import StartReplica
from tests.rest.conftest import Http
from tests.stages.replica import Replica


async def test_who_has_written_at_one_replica_reads_it_at_another(
    start_replica: StartReplica, database: str
) -> None:
    one, two = await start_replica(database), await start_replica(database)
    async with aiohttp.ClientSession() as session:
        first, second = Http(session, one.http), Http(session, two.http)
        for number in range(10):
            made = await first.variable(f"own/{number}")
            position = made.headers["Mds-Position"]
            read = await second("GET", f"/v1/variables/own/{number}?minRevision={position}")
            assert read.status == 200
        revision = position.rpartition("/")[2]
        listed = await second("GET", "/v1/variables", Mds_Min_Revision=revision)
        assert len(listed.json["variables"]) == 10


async def test_who_has_seen_what_is_not_there_is_told_so(http: Http) -> None:
    elsewhere = await http("GET", "/v1/variables?minRevision=another/1/1")
    assert (elsewhere.status, elsewhere.reason) == (410, "HISTORY_RESET")
    ahead = await http("GET", "/v1/variables?minRevision=1000000")
    assert (ahead.status, ahead.reason) == (503, "REVISION_NOT_REACHED")
    assert ahead.headers["Retry-After"] == "1"


async def test_a_caller_by_grpc_says_so_in_its_metadata(
    lasting_replica: Replica, http: Http
) -> None:
    made = await http.variable("grpc")
    request = variable_pb2.GetVariableRequest(name="variables/grpc")
    async with grpc.aio.insecure_channel(lasting_replica.address) as channel:
        variables = variable_pb2_grpc.VariablesStub(channel)
        position = made.headers["Mds-Position"]
        read = await variables.GetVariable(request, metadata=(("mds-min-revision", position),))
        assert read.value == "1"
        for wrong in ("soon", "another/1/1"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await variables.GetVariable(request, metadata=(("mds-min-revision", wrong),))
            assert caught.value.code() in {
                grpc.StatusCode.INVALID_ARGUMENT,
                grpc.StatusCode.OUT_OF_RANGE,
            }


@pytest.mark.parametrize(
    ("text", "position"),
    [("0", ("", 0, 0)), ("120", ("", 0, 120)), ("a-b/2/120", ("a-b", 2, 120))],
)
def test_what_was_seen_is_a_revision_or_a_position(
    text: str, position: tuple[str, int, int]
) -> None:
    found = minimum_of(text)
    assert (found.store_id, found.epoch, found.revision) == position


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "a/1", "/1/2", "a/b/1", "a/1/b", "9" * 19, "9" * 30, "\u0661", "1\n"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD"):
        minimum_of(text)
