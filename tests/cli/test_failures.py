"""What a refusal says to a person."""

import grpc
from mds.v1.difference_pb2 import Conflict, FieldConflict

from control_units.cli.failures import Failure
from control_units.client import Refused


def test_a_stale_etag_is_told_as_read_sent_and_now() -> None:
    fields = [
        FieldConflict(path="overrides[current].maximum", read="50", sent="60", now="55"),
        FieldConflict(path="description", read="Quadrupole.", sent="Quadrupole."),
    ]
    conflict = Conflict(
        name="control_units/LAB/A", etag="7", author="carla@desk", reason="a hot magnet",
        fields=fields,
    )  # fmt: skip
    refused = Refused(
        "ETAG_MISMATCH", "It has changed.", code=grpc.StatusCode.ABORTED, conflicts=[conflict]
    )
    assert str(Failure.of(refused)).splitlines() == [
        "It has changed. (ETAG_MISMATCH)",
        "  control_units/LAB/A: carla@desk changed it meanwhile: a hot magnet",
        "    field                       read         sent         now",
        "    overrides[current].maximum  50           60           55",
        "    description                 Quadrupole.  Quadrupole.  not set",
        "Somebody else has changed it: read it again, then write.",
    ]


def test_what_is_gone_is_told_to_be() -> None:
    refused = Refused(
        "PLAN_MOVED", "It moved.", code=grpc.StatusCode.ABORTED,
        conflicts=[Conflict(name="control_units/LAB/A")],
    )  # fmt: skip
    told = str(Failure.of(refused))
    assert "control_units/LAB/A: somebody deleted it meanwhile" in told
    assert "Run it again" in told
