"""Only what is there and what is understood: of a run with this, most calls succeed.

What the document says is narrowed: ids to those of resources that are there, words to those that
mean something, bodies to some that are right. What removes or renames is a dry run, so that the
rest finds what it asks for.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.openapi.facility import AGENT, DRAFT, SNAPSHOT, UNIT, UNIT_SERVER, Names
from tests.openapi.likely import BUNDLE, NAMED, WORDS

JSON, LINES = "application/json", "application/x-ndjson"
_UNIT = f"control_units/{UNIT}"
_ONE: dict[str, Any] = {"selection": {"names": [_UNIT]}}
_VALUE = {"controlUnit": _UNIT, "attribute": "current", "value": "2"}
_VARIABLE = "variables/ring/nominal_energy"
BODIES: dict[str, list[Any]] = {
    "Templates_PublishTemplateVersion": [{"etag": "*", "validateOnly": True}],
    "Templates_DeprecateTemplateVersion": [{"version": 1, "etag": "*", "validateOnly": True}],
    "Templates_DiscardTemplateDraft": [{"etag": "*", "validateOnly": True}],
    "ControlUnits_RenameControlUnit": [
        {"newName": f"{_UNIT}_RENAMED", "etag": "*", "validateOnly": True}
    ],
    "ControlUnits_CopyControlUnit": [
        {"newName": f"{_UNIT}_COPY", "validateOnly": True},
        {"newName": f"{_UNIT}_COPY", "unitServer": f"unit_servers/{UNIT_SERVER}"},
    ],
    "Snapshots_SetSnapshotValues": [{"values": [_VALUE], "etag": "*"}],
    "LiveValues_TakeSnapshot": [_ONE | {"evenSo": True, "validateOnly": True}],
    "LiveValues_ListLiveValues": [_ONE, {"selection": {"idPrefix": "DAFNE/"}}],
    "LiveValues_PlanRestore": [{}, _ONE | {"tolerance": "1%"}],
    "Edits_EditControlUnits": [
        _ONE | {"edits": [{"path": "description", "value": "Edited."}]},
        _ONE | {"edits": [{"path": "overrides[current].maximum", "value": "9"}]},
        _ONE | {"edits": [{"path": "labels[section]"}], "validateOnly": True},
    ],
    "Edits_RebaseControlUnits": [
        _ONE | {"template": "templates/driver::powersupply::SCPowerSupply", "toVersion": 1}
    ],
    "Operations_PlanOperation": [{"operation": {"verb": "ORDER_VERB_START"} | _ONE}],
    "Operations_CreateOperation": [
        {"verb": "ORDER_VERB_START"} | _ONE,
        {"verb": "ORDER_VERB_STOP", "stepTimeout": "60s"} | _ONE,
    ],
    "Operations_SkipOperationSteps": [{"controlUnits": [_UNIT]}],
    "History_Revert": [{"name": _VARIABLE, "asOf": "10", "etag": "*"}],
    "History_Undo": [{"validateOnly": True}],
    "AgentReports_ReportAgent": [
        {"incarnation": "a", "host": "ctrl01", "pid": "1"},
        {"incarnation": "b", "host": "ctrl01", "ends": True},
    ],
    "AgentReports_AnswerLogRequest": [{"lines": ["started"]}],
    "Webhooks_SetWebhookSecret": [{"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}],
    "Webhooks_TestWebhook": [{}],
}
"""Bodies that are right, by operation; of others the example, or one of `CHANGES`."""
CHANGES: list[Any] = [{"description": "Changed."}, {"labels": {"a": "b"}}]
PLACES = {
    "Templates_PublishTemplateVersion": DRAFT,
    "Templates_DiscardTemplateDraft": DRAFT,
    "LiveValues_TakeSnapshot": "taken",
}
"""Ids of operations for which what is there would be wrong."""
NEEDED = {"If-Match", "snapshot", "webhook"}
"""Parameters that calls are refused without, though only some of them say so."""
NARROW: dict[str, list[str]] = {
    "If-Match": ["*"],
    "If-None-Match": ['"1"'],
    "tolerance": ["1%", "0.5"],
    "configured": [],
    "live": [],
    "snapshot": [f"snapshots/{SNAPSHOT}"],
    "webhook": ["webhooks/logbook"],
    "agent": [f"agents/{AGENT}"],
    "controlUnit": [_UNIT],
    "filter": [""],
    "since": ["2026-01-01T00:00:00Z"],
    "until": ["2036-01-01T00:00:00Z"],
    "name": [_VARIABLE],
    "changeSet": ["2"],
    "kinds": ["KIND_CONTROL_UNIT"],
    "asOf": ["", "10"],
    "updateMask": ["description"],
    "minRevision": ["1"],
    "position": [],
    "seenPlan.position": [],
    "seenPlan.plan": [],
    "Idempotency-Key": [],
    "templateVersion": [],
    "unitServer": [f"unit_servers/{UNIT_SERVER}"],
    "zone": ["DAFNE/PL"],
    "phases": [],
    "verbs": [],
    "states": [],
    "checks": [],
    "campaign": ["campaigns/new-firmware"],
    "mark": [""],
    "lines": ["10"],
    "dryRun": ["true"],
}
"""Words of parameters; none: it is left out."""


def narrowed(document: Any, names: Names) -> Any:
    found = copy.deepcopy(document)
    for item in found["paths"].values():
        for verb, operation in item.items():
            name = operation["operationId"]
            kept = [_parameter(each, found, names, name) for each in operation["parameters"]]
            needed = NEEDED | ({"dryRun"} if verb == "delete" else set())
            operation["parameters"] = [
                each | {"required": True} if each["name"] in needed else each
                for each in kept
                if each is not None
            ]
            if "requestBody" in operation:
                known = CHANGES if verb == "patch" else BODIES.get(name, [])
                if name == "Webhooks_RedeliverWebhook":
                    known = [{"delivery": names["deliveries"]}]
                body(operation, known)
    return found


def body(operation: Any, bodies: list[Any]) -> None:
    content = operation["requestBody"]["content"]
    if LINES in content:
        content[LINES]["schema"] = {"const": BUNDLE}
    elif bodies:
        content[JSON]["schema"] = {"enum": bodies}
        content[JSON].pop("example", None)
        operation["requestBody"]["required"] = True


def _parameter(parameter: Any, document: Any, names: Names, operation: str) -> Any | None:
    """A parameter with the words that it may be; None: it is left out."""
    if "$ref" in parameter:
        parameter = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    name, told = parameter["name"], parameter["description"]
    words = NARROW.get(name, WORDS.get(name))
    known = [names[each] for each in NAMED.findall(told) if each in names]
    if parameter["in"] == "path":
        known = [each.partition("/")[2] for each in known]
        words = [PLACES[operation]] if operation in PLACES else known or None
    elif known and name not in NARROW:
        words = known
    if words is None:
        return parameter
    if not words:
        return None
    schema: Any = {"enum": words}
    if parameter["schema"].get("type") == "array":
        schema = {"type": "array", "items": schema, "maxItems": 2}
    kept = {key: told for key, told in parameter.items() if key not in ("example", "examples")}
    return kept | {"schema": schema}
