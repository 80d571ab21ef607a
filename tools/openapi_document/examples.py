"""A small facility, as examples: one resource of each kind that people declare. They are made in
this order by a test, so that each may refer to those before it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

RESOURCES: dict[str, Json] = {
    "Template": {
        "name": "templates/driver::powersupply::SCPowerSupply",
        "implementation": "::driver::powersupply::SCPowerSupply",
        "description": "Power supplies of magnets.",
        "group": "powersupply",
        "attributes": [
            {
                "name": "current",
                "direction": "DIRECTION_INPUT",
                "type": "VALUE_TYPE_DOUBLE",
                "unit": "A",
                "defaultValue": "0",
                "minimum": "0",
                "maximum": "100",
            }
        ],
        "parameters": [
            {"name": "driver_timeout", "type": "VALUE_TYPE_INT32", "unit": "ms"},
        ],
    },
    "Agent": {
        "name": "agents/ctrl01",
        "description": "Launches what runs in the power supply hall.",
        "host": "ctrl01.example.org",
        "workingDirectory": "/srv/control",
    },
    "UnitServer": {
        "name": "unit_servers/DAFNE/CORRECTORS",
        "description": "Correctors of the main ring.",
        "launch": {"agent": "agents/ctrl01", "command": "unit-server CORRECTORS", "level": 1},
    },
    "Script": {
        "name": "scripts/standby",
        "description": "Brings a magnet to zero.",
        "language": "CPP",
        "content": "setpoint(0);",
    },
    "ControlUnit": {
        "name": "control_units/DAFNE/PL/QSK/QSKPL106",
        "description": "Skew quadrupole 106.",
        "template": "templates/driver::powersupply::SCPowerSupply",
        "unitServer": "unit_servers/DAFNE/CORRECTORS",
        "overrides": [{"attribute": "current", "maximum": "10"}],
        "labels": {"section": "arc1"},
        "level": 10,
    },
    "ExecutionUnit": {
        "name": "execution_units/orbit_feedback",
        "description": "Keeps the orbit where it is.",
        "host": "unit_servers/DAFNE/CORRECTORS",
        "implementation": "OrbitFeedback",
    },
    "Variable": {
        "name": "variables/ring/nominal_energy",
        "description": "Energy of a beam, in MeV.",
        "value": "510",
    },
    "Snapshot": {
        "name": "snapshots/golden-2026-11",
        "description": "The best orbit of November.",
    },
    "Policy": {
        "name": "policies/reasons-in-the-linac",
        "description": "Who changes something in the Linac says why.",
        "idPrefix": "LINAC/",
        "requiresReason": True,
    },
    "Maintenance": {
        "name": "maintenances/cooling-of-the-linac",
        "description": "New pumps.",
        "idPrefixes": ["LINAC/"],
        "endTime": "2036-11-21T18:00:00Z",
    },
    "MachineMode": {
        "name": "machine_modes/LINAC",
        "description": "What the Linac is used for.",
        "mode": "shutdown",
        "modes": ["shutdown", "tuning", "beam"],
    },
    "Guard": {
        "name": "guards/no-orders-with-beam",
        "description": "Nobody stops magnets of the Linac under beam.",
        "machineMode": "machine_modes/LINAC",
        "modes": ["beam"],
        "forbids": ["GUARDED_CHANGE_ORDERS"],
        "idPrefixes": ["LINAC/"],
        "unitFilter": "template:*Magnet* -label:spare",
    },
    "UnitList": {
        "name": "unit_lists/skew-quadrupoles",
        "description": "All skew quadrupoles of the main ring.",
        "idPrefixes": ["DAFNE/PL/QSK/"],
        "unitFilter": "state=RUNNING overrides>0",
    },
    "Campaign": {
        "name": "campaigns/new-firmware",
        "description": "All power supplies with firmware 4.",
        "targetUnits": 120,
        "dueTime": "2036-12-20T00:00:00Z",
    },
    "Webhook": {
        "name": "webhooks/logbook",
        "description": "Tells the logbook of what changes.",
        "url": "http://127.0.0.1:9/changes",
        "kinds": ["KIND_CONTROL_UNIT"],
        "enabled": False,
    },
    "Token": {
        "name": "tokens/0123456789ab",
        "principal": "anna",
        "role": "ROLE_OPERATOR",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "expireTime": "2036-11-21T00:00:00Z",
    },
    "Operation": {
        "verb": "ORDER_VERB_START",
        "selection": {"idPrefix": "DAFNE/PL/"},
        "atOnce": 10,
        "onFailure": "ON_FAILURE_STOP",
        "stepTimeout": "60s",
    },
}

PATCHES: dict[str, Json] = {
    name: {"description": f"{resource.get('description', 'Changed.')} Looked at in spring."}
    for name, resource in RESOURCES.items()
}

OTHER_IDS = {
    "operations": "0190f2b4c8d17a6e9d2f4b1c3a5e7f90",
    "change_sets": "1207",
    "datasets": "9f86d081884c7d659a2feaa0c55ad015",
    "instantiations": "0190f2b4c8d17a6e9d2f4b1c3a5e7f91",
    "": "0190f2b4c8d17a6e9d2f4b1c3a5e7f92",
}
OWNERS = {
    "control_unit_statuses": "control_units",
    "unit_server_statuses": "unit_servers",
}


def example_id(collection: str) -> str:
    """An id that a resource of the examples has, or one that looks like those that there are."""
    collection = OWNERS.get(collection, collection)
    for resource in RESOURCES.values():
        head, _, id = resource.get("name", "").partition("/")
        if head and head == collection:
            return str(id)
    return OTHER_IDS[collection]


REFUSAL: Json = {
    "error": {
        "code": 404,
        "status": "NOT_FOUND",
        "message": "There is no control unit 'DAFNE/PL/QSK/QSKPL107'.",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "CONTROL_UNIT_NOT_FOUND",
                "domain": "mds",
                "metadata": {"control_unit": "DAFNE/PL/QSK/QSKPL107"},
            }
        ],
    }
}
