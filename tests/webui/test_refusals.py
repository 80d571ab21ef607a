"""What the server refuses is said in the language of the pages, with what it said itself."""

import pytest
from grpc import StatusCode
from mds.v1.bundle_pb2 import Problem
from mds.v1.error_reason_pb2 import ErrorReason

from control_units.client import Refused
from webui.refusals import MEANINGS, told
from webui.site import explain

SAID = "templates/PS is used by control_units/RING/Q1."


def refused(reason: str) -> Refused:
    return Refused(reason, SAID, code=StatusCode.FAILED_PRECONDITION)


def test_every_meaning_is_one_of_a_reason_that_there_is() -> None:
    assert set(ErrorReason.keys()) >= MEANINGS.keys()


def test_in_english_the_server_speaks_for_itself() -> None:
    assert told(refused("STILL_IN_USE")) == SAID
    assert explain(refused("STILL_IN_USE"))[1] == f"STILL_IN_USE: {SAID}"


@pytest.mark.usefixtures("german")
def test_in_another_language_the_meaning_stands_before_what_the_server_said() -> None:
    assert told(refused("STILL_IN_USE")) == f"Andere verwenden es noch. ({SAID})"
    assert explain(refused("STILL_IN_USE"))[1] == f"Andere verwenden es noch. ({SAID})"


@pytest.mark.usefixtures("german")
def test_one_item_of_a_bundle_is_told_like_a_whole_call() -> None:
    problem = Problem(reason="STILL_IN_USE", message=SAID)
    assert told(problem) == f"Andere verwenden es noch. ({SAID})"


@pytest.mark.usefixtures("german")
def test_a_reason_that_nobody_has_translated_is_told_as_it_came() -> None:
    assert told(refused("SOMETHING_NEW")) == SAID
    assert explain(refused("SOMETHING_NEW"))[1] == f"SOMETHING_NEW: {SAID}"
