"""`--as-curl`: the calls of a command as calls of REST."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.campaign_pb2 import Campaign, UpdateCampaignRequest
from mds.v1.control_unit_pb2 import GetConfigurationRequest
from mds.v1.registration_pb2 import RegisterRequest

from control_units.client.curl import curl_of
from tests.cli.conftest import Ended, Mds, run_mds
from tests.cli.test_import import small_facility, write
from tests.stages.ports import free_port
from tests.stages.replica import Replica
from tests.stages.requirements import needs

BASE = "http://127.0.0.1:7401"


def told(method: str, request: object) -> str:
    found = descriptor_pool.Default().FindMethodByName(f"mds.v1.{method}")
    return curl_of(found, request, base=BASE, principal="it's me")  # type: ignore[arg-type]


def test_ids_are_escaped_in_paths_and_the_rest_goes_into_the_query() -> None:
    request = GetConfigurationRequest(name="control_units/A/c8:1f/X", as_of="120")
    line = told("ControlUnits.GetConfiguration", request)
    assert f"'{BASE}/v1/control_units/A/c8%3A1f/X:configuration?asOf=120'" in line


def test_a_body_is_the_json_of_the_protocol() -> None:
    request = UpdateCampaignRequest(
        campaign=Campaign(name="campaigns/x", etag="*", closed=True),
        update_mask=FieldMask(paths=["closed", "due_time"]),
        reason="it's over",
    )
    line = told("Campaigns.UpdateCampaign", request)
    assert line.startswith("curl -sS -X PATCH")
    assert """--data '{"etag": "*", "closed": true}'""" in line
    assert "/v1/campaigns/x?" in line
    assert "updateMask=closed,dueTime" in line
    assert "'Mds-Principal: it'\"'\"'s me'" in line


def test_what_has_no_way_over_rest_is_told() -> None:
    line = told("Registration.Register", RegisterRequest(unit_server="unit_servers/S"))
    assert line.startswith("# mds.v1.Registration.Register has no way over REST")
    assert "buf curl" in line


def test_secrets_are_not_printed() -> None:
    pool = descriptor_pool.Default()
    from mds.v1 import webhook_pb2

    method = next(
        each
        for each in pool.FindServiceByName("mds.v1.Webhooks").methods
        if "secret" in each.input_type.fields_by_name
    )
    request = getattr(webhook_pb2, method.input_type.name)(secret="whsec_c2VjcmV0")
    line = curl_of(method, request, base=BASE, principal="me")
    assert "c2VjcmV0" not in line
    assert "<secret>" in line


async def test_without_a_server_the_first_call_is_told() -> None:
    address = f"127.0.0.1:{free_port()}"
    ended = await run_mds("--address", address, "show", "scripts/x", "--as-curl")
    assert ended.code == 0
    assert "http://127.0.0.1:7401/v1/scripts/x" in ended.out
    assert "depends on the answer" in ended.out


async def test_what_is_told_does_the_same_over_rest(
    mds: Mds, replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("" if shutil.which("curl") else "There is no curl: apt-get install curl.")
    monkeypatch.setenv("MDS_HTTP_ADDRESS", replica.http)
    assert (await mds("import", "chaos", str(write(tmp_path, small_facility())))).code == 0
    plain = json.loads((await mds("show", "scripts/f.C", "-o", "json")).out)
    assert (
        json.loads(await run(await mds("show", "scripts/f.C", "-o", "json", "--as-curl"))) == plain
    )

    listed = json.loads(await run(await mds("list", "templates", "--as-curl")))
    assert len(listed["templates"]) == 1

    campaign = ("campaign", "create", "c", "--description", "it's “one”")
    created = await mds(*campaign, "--as-curl")
    assert (await mds("show", "campaigns/c")).code == 1, "nothing was done"
    assert json.loads(await run(created))["description"] == "it's “one”"
    assert (await mds("show", "campaigns/c")).code == 0

    stopped = await mds("stop", "A/B/1", "--as-curl")
    plan, order = stopped.out.split("\ncurl ")
    assert json.loads(await run_line(plan))["steps"]
    assert json.loads(await run_line(f"curl {order}"))["name"].startswith("operations/")


async def run(ended: Ended) -> str:
    return await run_line(ended.out)


async def run_line(line: str) -> str:
    """What a shell gets that runs it."""
    process = await asyncio.create_subprocess_shell(
        line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()
