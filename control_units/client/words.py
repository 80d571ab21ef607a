"""Words of the contract, as people read them."""

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # what the stubs call it
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

V = TypeVar("V", bound=int)


def word_of(enum: "_EnumTypeWrapper[V]", number: int) -> str:
    """The word of a number without what all words of its kind begin with (`RUNNING`); the number
    itself where a server of a newer release has one that this release does not know."""
    known = enum.DESCRIPTOR.values_by_number
    if number not in known:
        return str(number)
    return known[number].name.removeprefix(known[0].name.removesuffix("UNSPECIFIED"))
