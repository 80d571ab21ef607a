"""The document is right by a validator that others wrote, and says what the server knows."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from metadata_server.api.rest.application import served_routes
from metadata_server.domain.page import MAXIMUM_PAGE_SIZE

ADDRESS = "urn:openapi"


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def resolved(document: Any, part: Any) -> Any:
    while "$ref" in part:
        *_, kind, name = part["$ref"].split("/")
        part = document["components"][kind][name]
    return part


def validator(document: Any, schema: Any) -> Draft202012Validator:
    """Checks values by a schema of the document."""
    whole = DRAFT202012.create_resource(document)
    registry: Any = Registry().with_resource(ADDRESS, whole)
    return Draft202012Validator(rebased(schema), registry=registry)


def rebased(schema: Any) -> Any:
    """A schema that refers into the document from outside."""
    if isinstance(schema, dict):
        return {
            key: f"{ADDRESS}{value}" if key == "$ref" else rebased(value)
            for key, value in schema.items()
        }
    return [rebased(each) for each in schema] if isinstance(schema, list) else schema


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_is_valid(document: Any) -> None:
    assert not [str(error)[:500] for error in OpenAPIV31SpecValidator(document).iter_errors()]


def test_every_route_is_an_operation_with_a_name_of_its_own(document: Any) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert set(names) == {route.name.replace(".", "_") for route in served_routes()}


def test_everything_is_described(document: Any) -> None:
    for path, verb, operation in operations(document):
        for parameter in operation["parameters"]:
            told = resolved(document, parameter)
            assert told["description"], f"{verb} {path}: {told['name']}"
        assert operation["summary"], f"{verb} {path}"
    for name, schema in document["components"]["schemas"].items():
        for field, inner in schema.get("properties", {}).items():
            inner_is_told = "description" in inner or "const" in inner or "$ref" in inner
            assert inner_is_told or name in DETAILS, f"{name}.{field}"


DETAILS = {"ErrorInfo", "BadRequest", "RequestInfo", "RetryInfo"}
"""Of google.rpc."""


def test_examples_fit_their_schemas(document: Any) -> None:
    for path, verb, operation in operations(document):
        bodies = operation.get("requestBody", {}).get("content", {}).values()
        parameters = [resolved(document, each) for each in operation["parameters"]]
        for part in (*bodies, *parameters):
            if "example" in part:
                faults = list(validator(document, part["schema"]).iter_errors(part["example"]))
                assert not faults, f"{verb} {path}: {faults[0].message}"
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            faults = list(validator(document, schema).iter_errors(example))
            assert not faults, f"{name}: {faults[0].message}"


def test_each_declared_kind_has_an_example(document: Any) -> None:
    for route in served_routes():
        if route.is_creation:
            schema = document["components"]["schemas"][route.body_message.name]
            assert schema["examples"], route.name


def test_ranges_are_those_of_the_server(document: Any) -> None:
    listing = document["paths"]["/v1/control_units"]["get"]
    (size,) = (each for each in listing["parameters"] if each.get("name") == "pageSize")
    assert size["schema"]["x-at-most"] == MAXIMUM_PAGE_SIZE


def test_each_operation_lists_its_refusals_by_status(document: Any) -> None:
    update = document["paths"]["/v1/control_units/{id}"]["patch"]["responses"]
    assert "ETAG_REQUIRED" in update["428"]["x-reasons"]
    assert "ETAG_MISMATCH" in update["412"]["x-reasons"]
    assert "CONTROL_UNIT_NOT_FOUND" in update["404"]["x-reasons"]
    assert "ETAG_REQUIRED" not in str(document["paths"]["/v1/control_units/{id}"]["get"])


def test_wide_numbers_are_texts(document: Any) -> None:
    revision = document["components"]["schemas"]["ControlUnit"]["properties"]["revision"]
    assert (revision["type"], revision["format"]) == ("string", "int64")
    assert revision["readOnly"]
