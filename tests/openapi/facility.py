"""A facility for the fuzz: one resource of each kind, a unit server that runs, and what comes of
them, so that calls meet more than refusals."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from metadata_server.domain.names import DECLARED
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

UNIT, UNIT_SERVER = "DAFNE/PL/QSK/QSKPL106", "DAFNE/CORRECTORS"
SNAPSHOT, AGENT, WEBHOOK, DRAFT = "golden-2026-11", "ctrl01", "logbook", "draft"
PATIENCE_S = 60
Names = dict[str, str]
"""A name that is there, by collection."""


@asynccontextmanager
async def facility(replica: Replica, folder: Path, document: Any) -> AsyncIterator[Names]:
    """Declares the document's examples, runs the unit server of one, and uses the rest a little."""
    names = await asyncio.to_thread(declared, document, replica.http)
    environment = {"MDS_ADDRESS": replica.address, "XDG_STATE_HOME": str(folder / "state")}
    hosting = Program.mds(
        "simulate", UNIT_SERVER, log=folder / "unit_server.log", environment=environment
    )
    try:
        hosting.start()
        dataset = await until(partial(published, replica.http), within=PATIENCE_S, what="a dataset")
        life, delivery, revision = await asyncio.to_thread(used, replica.http)
        yield names | {
            "change_sets": f"change_sets/{revision}",
            "deliveries": delivery,
            "control_unit_statuses": f"control_unit_statuses/{UNIT}",
            "datasets": dataset,
            "instantiations": life,
            "unit_server_statuses": f"unit_server_statuses/{UNIT_SERVER}",
        }
    finally:
        hosting.clear()


def declared(document: Any, base: str) -> Names:
    """Declares the resources of the document's examples, and plans an order to one of them."""
    names = {}
    for collection in (*(kind.collection for kind in DECLARED), "operations"):
        operation = document["paths"][f"/v1/{collection}"]["post"]
        example = operation["requestBody"]["content"]["application/json"]["example"]
        path = f"{collection}?wait=true" if collection == "operations" else collection
        names[collection] = asked(base, path, example)["name"]
    return names


async def published(base: str) -> str:
    """The dataset that the unit has published; empty: none yet."""
    answer = await asyncio.to_thread(asked, base, f"control_unit_statuses/{UNIT}")
    return str(answer.get("dataset", ""))


def used(base: str) -> tuple[str, str, str]:
    """Leaves something where examples leave nothing.

    Returns:
        The life of the unit, a delivery, and a revision that can be taken back.
    """
    asked(base, f"agents/{AGENT}:report", {"incarnation": "a", "host": "ctrl01", "pid": "1"})
    draft = {"implementation": "Draft", "versionState": "VERSION_STATE_DRAFT"}
    asked(base, "templates", {"name": f"templates/{DRAFT}"} | draft)
    asked(base, f"webhooks/{WEBHOOK}:test", {})
    value = {"controlUnit": f"control_units/{UNIT}", "attribute": "current", "value": "1"}
    asked(base, f"snapshots/{SNAPSHOT}:setValues", {"values": [value]})
    lives = asked(base, f"instantiations?controlUnit=control_units/{UNIT}")
    deliveries = asked(base, f"webhook_deliveries?webhook=webhooks/{WEBHOOK}")
    changes = asked(base, "change_sets?pageSize=1")
    return (
        str(lives["instantiations"][0]["name"]),
        str(deliveries["webhookDeliveries"][0]["id"]),
        str(changes["changeSets"][0]["revision"]),
    )


def asked(base: str, path: str, body: object = None) -> Any:
    """The answer to GET, or to POST of a body."""
    request = urllib.request.Request(
        f"{base}/v1/{path}",
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json", "If-Match": "*"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
