"""Words of a newer server do not stop an older client."""

from mds.v1.operation_pb2 import OperationPhase
from mds.v1.state_pb2 import State

from control_units.client.words import word_of


def test_a_word_comes_without_what_all_begin_with() -> None:
    assert word_of(State, State.STATE_RUNNING) == "RUNNING"
    assert word_of(OperationPhase, OperationPhase.OPERATION_PHASE_UNSPECIFIED) == "UNSPECIFIED"


def test_of_a_number_that_is_not_known_the_number_is_told() -> None:
    assert word_of(State, 99) == "99"
