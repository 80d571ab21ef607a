"""How an operation stands, as a mark."""

from mds.v1 import operation_pb2

from webui.vocabulary import Mark

_MARKS = {
    operation_pb2.OPERATION_PHASE_EXECUTING: ("changing", "changing"),
    operation_pb2.OPERATION_PHASE_HELD: ("warning", "warning"),
    operation_pb2.OPERATION_PHASE_SUSPENDED: ("stopped", "warning"),
    operation_pb2.OPERATION_PHASE_ERROR: ("bad", "bad"),
    operation_pb2.OPERATION_PHASE_ABORTED: ("unloaded", "quiet"),
}


def phase_of(operation: operation_pb2.Operation) -> Mark:
    """Its phase by the protocol's word; one of a newer server by its number."""
    glyph, tone = _MARKS.get(operation.phase, ("none", "quiet"))
    known = operation_pb2.OperationPhase.DESCRIPTOR.values_by_number.get(operation.phase)
    word = known.name.removeprefix("OPERATION_PHASE_") if known else str(operation.phase)
    return Mark(word.capitalize(), glyph, tone)
