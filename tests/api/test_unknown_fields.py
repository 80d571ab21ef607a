"""A request of a newer client changes nothing that this release does not understand."""

import pytest
from mds.v1 import bundle_pb2, control_unit_pb2, dataset_pb2

from metadata_server.api.bundle import IncomingBundle
from metadata_server.api.unknown_fields import changes_something, check_fields
from metadata_server.domain.refused import Refused

OF_A_NEWER_RELEASE = b"\x80\x7d\x07"
"""Field 2000, a number."""


def request() -> control_unit_pb2.UpdateControlUnitRequest:
    unit = control_unit_pb2.ControlUnit(
        name="control_units/A",
        labels={"a": "b"},
        overrides=[dataset_pb2.AttributeOverride(attribute="x")],
    )
    return control_unit_pb2.UpdateControlUnitRequest(control_unit=unit, request_id="r")


def test_what_is_known_passes() -> None:
    check_fields(request())


def test_a_field_that_is_not_known_is_named() -> None:
    asked = request()
    asked.MergeFromString(OF_A_NEWER_RELEASE)

    with pytest.raises(Refused, match=r"^UNKNOWN_FIELD: \[2000\] is 'sent'"):
        check_fields(asked)


def test_it_is_found_within_what_shall_be_written() -> None:
    asked = request()
    asked.control_unit.overrides[0].MergeFromString(OF_A_NEWER_RELEASE)

    with pytest.raises(Refused, match=r"control_unit\.overrides\.\[2000\]"):
        check_fields(asked)


def test_no_part_of_a_bundle_is_dropped() -> None:
    unit = control_unit_pb2.ControlUnit(name="control_units/A")
    part = bundle_pb2.ApplyRequest(items=[bundle_pb2.BundleItem(control_unit=unit)])
    part.items[0].control_unit.MergeFromString(OF_A_NEWER_RELEASE)

    with pytest.raises(Refused, match=r"items\.control_unit\.\[2000\]"):
        IncomingBundle().take(part)


def test_who_only_asks_is_answered() -> None:
    assert changes_something(request())
    assert not changes_something(control_unit_pb2.GetControlUnitRequest())
