"""A unit as other tools name it, to be copied."""

import shlex
from dataclasses import dataclass

from mds.v1.control_unit_pb2 import DESCRIPTOR, GetConfigurationRequest

from control_units.client import Client
from control_units.client.curl import base_address, curl_of
from webui.names import id_of
from webui.translation import _


@dataclass(frozen=True, slots=True)
class Command:
    title: str
    text: str


def commands_for(client: Client, name: str) -> list[Command]:
    """Its id, and what reads it on a command line."""
    method = DESCRIPTOR.services_by_name["ControlUnits"].methods_by_name["GetConfiguration"]
    curl = curl_of(
        method,
        GetConfigurationRequest(name=name),
        base=base_address(client.http_address),
        principal=client.caller.principal,
        token=client.caller.token.in_a_shell,
    )
    id = shlex.quote(id_of(name))
    return [
        Command(_("Id"), id_of(name)),
        Command("mds", f"mds explain {id}"),
        Command("curl", curl),
    ]
