"""What a refusal says to a person."""

import re
import shlex

import click
import grpc
from mds.v1.difference_pb2 import Conflict, FieldConflict
from mds.v1.error_reason_pb2 import ErrorReason

from control_units.cli import main
from control_units.cli.failures import ADVICE, Failure, advice_about
from control_units.cli.looking.meaning import is_known
from control_units.client import Fault, NotFound, Refused


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


def test_what_an_operator_has_to_look_into_names_its_request() -> None:
    code = grpc.StatusCode.INTERNAL
    fault = Fault("INTERNAL_FAULT", "A fault.", code=code, request_id="7f3a")
    assert str(Failure.of(fault)).splitlines()[-1] == "Request id: 7f3a"
    wrong = NotFound("TEMPLATE_NOT_FOUND", "None.", code=code, request_id="7f3a")
    assert "7f3a" not in str(Failure.of(wrong))


def test_what_is_gone_is_told_to_be() -> None:
    refused = Refused(
        "PLAN_MOVED", "It moved.", code=grpc.StatusCode.ABORTED,
        conflicts=[Conflict(name="control_units/LAB/A")],
    )  # fmt: skip
    told = str(Failure.of(refused))
    assert "control_units/LAB/A: somebody deleted it meanwhile" in told
    assert "Run it again" in told


def test_every_refusal_says_what_to_do_next_or_what_would_be_right() -> None:
    reasons = set(ErrorReason.keys()) - {"ERROR_REASON_UNSPECIFIED"}
    silent = {reason for reason in reasons if not advice_about(reason)}
    own_words = ("INVALID_", "OVERRIDE_", "MESSAGE_", "INSTANTIATION_", "DATASET_", "DELIVERY_")
    assert {reason for reason in silent if not reason.startswith(own_words)} == set()
    assert set(ADVICE) - reasons <= {"UNIMPLEMENTED"}, "they are no reasons any more"
    assert advice_about("TEMPLATE_NOT_FOUND") == "`mds list templates` shows what there is."


def test_advice_names_commands_that_are_there() -> None:
    told = " ".join(map(advice_about, ErrorReason.keys()))
    context = click.Context(main)
    for line in re.findall(r"`mds ([^`]*)`", told):
        command: click.Command = main
        words = shlex.split(line)
        while isinstance(command, click.Group):
            found = command.get_command(context, words[0])
            assert found is not None, line
            command, words = found, words[1:]
        if line.startswith("explain "):
            assert is_known(words[0]), line
