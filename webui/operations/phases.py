"""How an operation stands, as a mark."""

from mds.v1 import operation_pb2

from webui.vocabulary import Mark

_MARKS = {
    "EXECUTING": ("changing", "changing"),
    "HELD": ("warning", "warning"),
    "SUSPENDED": ("stopped", "warning"),
    "ERROR": ("bad", "bad"),
    "ABORTED": ("unloaded", "quiet"),
}


def phase_of(operation: operation_pb2.Operation) -> Mark:
    """Its phase by the protocol's word; one of a newer server by its number."""
    known = operation_pb2.OperationPhase.DESCRIPTOR.values_by_number.get(operation.phase)
    word = known.name.removeprefix("OPERATION_PHASE_") if known else str(operation.phase)
    return phase_named(word)


def phase_named(word: str) -> Mark:
    """The mark of a phase that filters call so: `EXECUTING`."""
    glyph, tone = _MARKS.get(word, ("none", "quiet"))
    return Mark(word.capitalize(), glyph, tone)
