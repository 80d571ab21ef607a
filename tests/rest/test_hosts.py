"""By which names the HTTP port may be called where nobody is asked who they are.

A page may have its own name lead to 127.0.0.1 once a browser has loaded it (DNS rebinding): what it
sends then has one `Host` and `Origin`, its own.
"""

import asyncio
import socket

import aiohttp
import pytest

from metadata_server.api.rest.hosts import Hosts
from metadata_server.settings import BadSettings, Settings
from tests.conftest import StartReplica
from tests.rest.conftest import Http
from tests.stages.replica import Replica

EVIL = "evil.example:7401"
STREAM = {"Accept": "text/event-stream"}
EVERY_FACE: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "/v1/variables", {}),
    ("GET", "/v1/watch", STREAM),
    ("POST", "/v1/bundles:apply", {}),
    ("PATCH", "/v1/variables/KEPT", {}),
    ("DELETE", "/v1/variables/KEPT", {}),
    ("OPTIONS", "/v1/variables", {"Access-Control-Request-Method": "DELETE"}),
    ("HEAD", "/v1/variables", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs", {}),
    ("GET", "/nowhere", {}),
    ("GET", "/MDS?cmd=search", {}),
    ("POST", "/CU", {}),
)
OWN = (
    *("localhost", "localhost:7401", "LOCALHOST.", "lab.localhost:80", "127.0.0.1", "127.8.0.1:1"),
    *("[::1]", "[::1]:7401", "10.77.0.20:7401", "[fe80::1]:7401", socket.gethostname()),
)
OTHERS = (
    *("evil.example", EVIL, "localhost.evil.example", "evillocalhost", "127.0.0.1.evil.example"),
    *("::1", "[::1", "[evil.example]", "127.0.0.1:7401:1", "127.0.0.1@evil.example", "127.1", ":1"),
)


@pytest.mark.parametrize(("verb", "path", "headers"), EVERY_FACE)
async def test_a_page_whose_name_leads_here_reads_and_changes_nothing(
    http: Http, verb: str, path: str, headers: dict[str, str]
) -> None:
    evil = {"Host": EVIL, "Origin": f"http://{EVIL}"}
    refused = await http(verb, path, **headers, **evil)
    assert refused.status == 421
    assert not [name for name in refused.headers if name.startswith("Access-Control")]
    if verb != "HEAD":
        assert refused.reason == "HOST_NOT_ALLOWED"
        assert EVIL in refused.message
        assert "MDS_HTTP_HOSTS" in refused.message


async def test_what_such_a_page_would_delete_stays(http: Http) -> None:
    await http.variable("REBOUND")
    evil = {"Host": EVIL, "Origin": f"http://{EVIL}", "If-Match": "*"}
    assert (await http("DELETE", "/v1/variables/REBOUND", **evil)).status == 421
    assert (await http("GET", "/v1/variables/REBOUND")).status == 200


@pytest.mark.parametrize("host", OWN)
async def test_this_machines_names_and_addresses_are_answered(http: Http, host: str) -> None:
    assert (await http("GET", "/v1/variables", Host=host)).status == 200
    own = await http("DELETE", "/v1/variables/nobody", Host=host, Origin=f"http://{host}")
    assert own.reason == "VARIABLE_NOT_FOUND"


@pytest.mark.parametrize("host", OTHERS)
async def test_what_only_looks_like_a_name_of_this_machine_is_not(http: Http, host: str) -> None:
    assert (await http("GET", "/v1/variables", Host=host)).status == 421


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/ready", "/metrics"])
async def test_probes_may_use_any_name(http: Http, path: str) -> None:
    assert (await http("GET", path, Host="metadata-server-1:7401")).status == 200


@pytest.mark.parametrize("path", ["/healthz/ready?unready=404", "/v1/variables"])
async def test_who_names_no_host_is_no_browser(lasting_replica: Replica, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", lasting_replica.http_port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        assert (await reader.readline()).split()[1] == b"200"
    finally:
        writer.close()
        await writer.wait_closed()


async def test_names_that_the_operator_gives_are_answered(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    environment = {
        "MDS_HTTP_HOSTS": "mds.lab.example, Metadata-Server",
        "MDS_CORS_ORIGINS": "https://panel.example.org:8443",
    }
    replica = await start_replica(sqlite_database, environment=environment)
    async with aiohttp.ClientSession() as session:
        http = Http(session, replica.http)
        # A proxy that keeps the name lets pages of that origin come by it.
        for host in ("MDS.lab.example:7401", "metadata-server", "panel.example.org"):
            assert (await http("GET", "/v1/variables", Host=host)).status == 200, host
        for host in (EVIL, "lab.example", "a.mds.lab.example"):
            assert (await http("GET", "/v1/variables", Host=host)).status == 421, host


async def test_where_tokens_are_asked_for_any_name_will_do(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    replica = await start_replica(sqlite_database, environment={"MDS_AUTHENTICATION": "token"})
    async with aiohttp.ClientSession() as session:
        told = await Http(session, replica.http)("GET", "/v1/variables", Host=EVIL)
    assert (told.status, told.reason) == (401, "UNAUTHENTICATED")


def test_the_name_that_it_listens_at_is_its_own_and_all_may_come_where_all_origins_may() -> None:
    listening = Settings(host="mds.lab.example", insecure=True)
    hosts = Hosts(listening.own_hosts())
    assert hosts.takes("mds.lab.example:7401")
    assert not hosts.takes("evil.example")
    assert Hosts(Settings(cors_origins="*").own_hosts()).takes("evil.example")


@pytest.mark.parametrize("wrong", ["http://mds", "mds:7401", "mds/x", "*"])
def test_what_is_no_name_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(BadSettings, match="MDS_HTTP_HOSTS"):
        Settings(http_hosts=wrong)
