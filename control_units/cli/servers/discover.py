"""`mds discover`: who is there."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.failures import UNREACHABLE
from control_units.cli.options import list_output
from control_units.cli.output.writing import Shape, write_all

if TYPE_CHECKING:
    from control_units.client.addresses import Address
    from control_units.client.rotation import Server

ANSWER_S = 2.0
CHECK = "/grpc.health.v1.Health/Check"
_HEADERS = (
    "address",
    "replica",
    "facility",
    "store",
    "version",
    "tls",
    "http",
    "priority",
    "weight",
    "state",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A server that was found, and how it is: `ready`, `not ready`, or `no answer`."""

    server: "Server"
    state: str


@click.command(short_help="Show which metadata servers there are.")
@click.argument("where", default="zeroconf:", metavar="[ADDRESS]")
@list_output
def discover(where: str, output: str) -> None:
    """Show which metadata servers are announced on this network; or those of ADDRESS, which is
    dns:NAME, srv:NAME, zeroconf:FACILITY, or a list as of MDS_ADDRESS.

    \b
      mds discover
      mds discover srv:example.org
      mds discover zeroconf:DAFNE -o json

    Servers announce themselves with MDS_ANNOUNCE=1, those of `mds run` always. What they say of
    themselves is not proven: on a network that others use, name servers yourself.

    Exit codes: 0 there are some, 3 there is none.
    """
    from control_units.client.addresses import BadAddress, parse_addresses

    try:
        addresses = parse_addresses(where)
    except BadAddress as bad:
        raise click.UsageError(str(bad)) from bad
    seen, problems = asyncio.run(_look(addresses))
    write_all(seen, _SHAPE, output, has_headers=bool(seen))
    for problem in problems:
        click.echo(problem, err=True)
    if not seen:
        raise click.exceptions.Exit(UNREACHABLE)


async def _look(addresses: "Sequence[Address]") -> tuple[list[Seen], list[str]]:
    """Who is at addresses, and why there is nobody at some."""
    from control_units.client.directory import NothingFound

    found: dict[str, Server] = {}
    problems = []
    for address in addresses:
        try:
            found |= {each.address: each for each in await _servers_at(address)}
        except NothingFound as nothing:
            problems.append(str(nothing))
    states = await asyncio.gather(*map(_state, found))
    return [Seen(*each) for each in zip(found.values(), states, strict=True)], problems


async def _servers_at(address: "Address") -> "Sequence[Server]":
    """Whoever is there: also of several facilities, of which a client would have to choose one.

    Raises:
        NothingFound: nobody is.
    """
    from control_units.client.addresses import ZEROCONF
    from control_units.client.directory import NothingFound, look_at, source_of

    if address.scheme != ZEROCONF:
        return await look_at(source_of(address, lambda: None))
    from control_units.client.announced import Announced, is_of, nobody

    announced = Announced(address, lambda: None)
    try:
        heard = await announced.all()
    finally:
        await announced.close()
    meant = [each for each in heard if is_of(each, address.name)]
    if not meant:
        raise NothingFound(nobody(address, heard))
    return meant


async def _state(address: str) -> str:
    """Asked as load balancers do, which needs no token."""
    import grpc
    from grpc_health.v1 import health_pb2

    async with grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as to:
        check = to.unary_unary(
            CHECK,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            reply = await check(health_pb2.HealthCheckRequest(service="ready"), timeout=ANSWER_S)
        except grpc.aio.AioRpcError:
            return "no answer"
    return "ready" if reply.status == health_pb2.HealthCheckResponse.SERVING else "not ready"


def _row(seen: Seen) -> Sequence[str]:
    told = {**_plain(seen), "tls": "yes" if seen.server.is_tls else "no"}
    return [str(cell or "") if header == "http" else str(cell) for header, cell in told.items()]


def _plain(seen: Seen) -> Mapping[str, Any]:
    server = seen.server
    return {
        "address": server.address,
        "replica": server.replica,
        "facility": server.facility,
        "store": server.store,
        "version": server.version,
        "tls": server.is_tls,
        "http": server.http_port,
        "priority": server.priority,
        "weight": server.weight,
        "state": seen.state,
    }


_SHAPE: Shape[Seen] = Shape(
    _HEADERS,
    _row,
    ("store", "tls", "http", "priority", "weight"),
    (),
    _plain,
    lambda seen: seen.server.address,
)
