"""Routes as the protocol has them."""

from mds.v1 import control_unit_pb2

from metadata_server.api.rest.application import served_routes
from metadata_server.api.rest.parameters import FORMAT, words_of
from metadata_server.api.services import SERVED, services_of

NOT_BY_HTTP = {"Registration.Register", "Registration.Attach"}
"""What unit servers call."""


def test_every_method_has_a_route_save_those_of_unit_servers() -> None:
    methods = {
        f"{service.name}.{method.name}"
        for module in SERVED
        for service in services_of(module)
        for method in service.methods
    }
    assert methods - {route.name for route in served_routes()} == NOT_BY_HTTP


def test_get_changes_nothing_and_what_may_be_repeated_is_no_get() -> None:
    for route in served_routes():
        assert not (route.verb == "GET" and route.is_mutating), route.name
        if route.verb in {"PATCH", "DELETE"}:
            assert route.is_mutating, route.name


def test_bodies_and_paths_name_fields_that_there_are() -> None:
    for route in served_routes():
        if route.body not in {"", "*"}:
            assert route.body_message.full_name.startswith("mds.v1."), route.name
        if route.template.field:
            field = route.request.fields_by_name[route.template.field.partition(".")[0]]
            assert (field.message_type is not None) == ("." in route.template.field), route.name


def test_words_of_queries_are_no_fields() -> None:
    for route in served_routes():
        fields = {field.json_name for field in route.request.fields}
        assert not fields & words_of(route), route.name


def test_parameters_are_what_neither_path_nor_body_has() -> None:
    by_name = {route.name: route for route in served_routes()}
    update = by_name["ControlUnits.UpdateControlUnit"]
    assert [field.name for field in update.parameters()] == [
        "update_mask",
        "request_id",
        "reason",
        "validate_only",
    ]
    assert by_name["ControlUnits.RenameControlUnit"].parameters() == ()
    listing = by_name["ControlUnits.ListControlUnits"]
    assert listing.items is not None
    assert listing.items.message_type is control_unit_pb2.ControlUnit.DESCRIPTOR
    assert FORMAT in words_of(listing)
