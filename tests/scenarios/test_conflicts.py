"""Two people with the same page open: the second one is shown what the first one did."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1 import agent_pb2

from control_units.client import Client, Refused
from tests.stages.replica import Replica


async def update(
    client: Client, read: agent_pb2.Agent, host: str, description: str = ""
) -> agent_pb2.Agent:
    changed = agent_pb2.Agent(name=read.name, etag=read.etag, host=host, description=description)
    mask = FieldMask(paths=["host", "description"])
    return await client.agents.UpdateAgent(
        agent_pb2.UpdateAgentRequest(agent=changed, update_mask=mask, reason="a new machine")
    )


async def test_the_client_gives_mine_theirs_and_base(replica: Replica) -> None:
    async with (
        Client(replica.address, principal="rita") as rita,
        Client(replica.address, principal="otto") as otto,
    ):
        agent = agent_pb2.Agent(name="agents/a", host="base")
        read = await rita.agents.CreateAgent(agent_pb2.CreateAgentRequest(agent=agent))
        now = await update(rita, read, host="theirs")
        with pytest.raises(Refused, match="ETAG_MISMATCH") as caught:
            await update(otto, read, host="mine", description="the old one")
        (conflict,) = caught.value.conflicts
        assert (conflict.name, conflict.etag) == (read.name, now.etag)
        assert (conflict.author, conflict.reason) == ("rita", "a new machine")
        host, description = conflict.fields
        assert (host.path, host.read, host.sent, host.now) == ("host", "base", "mine", "theirs")
        assert (description.path, description.sent) == ("description", "the old one")
        assert not description.HasField("read")
        assert not description.HasField("now")
