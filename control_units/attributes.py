"""Attributes of a control unit, as its class declares them."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, Unpack, cast, overload

from control_units.faults import UnitFault
from control_units.values import PYTHON_TYPES, ValueType, check_range, checked, parse, written

if TYPE_CHECKING:
    from control_units.control_unit import ControlUnit

T = TypeVar("T")

FACETS = (
    "unit",
    "default_value",
    "minimum",
    "maximum",
    "warning_minimum",
    "warning_maximum",
    "increment",
    "offset",
    "conversion_factor",
    "warning_threshold",
    "error_threshold",
)
"""What templates and overrides can say of an attribute, by the field names of the protocol."""


class Direction(IntEnum):
    """`mds.v1.Direction`, number for number: which way it goes, seen from the control unit."""

    UNSPECIFIED = 0
    INPUT = 1
    OUTPUT = 2
    BIDIRECTIONAL = 3


@dataclass(frozen=True, slots=True)
class Description:
    """What an attribute is, in texts as people gave them.

    Attributes:
        shape: sizes of its dimensions, outermost first; empty: a scalar; 0: any size.
        facets: text by name of `FACETS`; absent means *not set here*, which is not zero.
        maximum_size_bytes: of a text or of bytes; 0: no limit of its own.
    """

    name: str
    direction: Direction
    type: ValueType
    shape: tuple[int, ...] = ()
    description: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)
    maximum_size_bytes: int = 0
    mime_type: str = ""

    def default(self) -> Any:
        """The value it starts with, checked; None: it has none. Empty text is none where the
        type has no empty value.

        Raises:
            UnitFault: the text is no value of this attribute.
        """
        text = self.facets.get("default_value")
        if text is None or (not text and self.type is not ValueType.STRING):
            return None
        return self.accept(self._read("default_value", self.shape))

    def accept(self, value: object) -> Any:
        """A value as its type holds it, inside the range.

        Raises:
            WrongType, OutOfRange: naming the attribute.
        """
        try:
            found = checked(
                value, self.type, self.shape, maximum_size_bytes=self.maximum_size_bytes
            )
            check_range(found, self._bound("minimum"), self._bound("maximum"))
        except UnitFault as fault:
            raise builtins.type(fault)(f"{self.name}: {fault}") from fault
        return found

    def _bound(self, facet: str) -> Any:
        is_ordered = self.type.is_whole or self.type.is_real
        return self._read(facet, ()) if is_ordered and self.facets.get(facet) else None

    def _read(self, facet: str, shape: Sequence[int]) -> Any:
        try:
            return parse(self.facets[facet], self.type, shape)
        except UnitFault as fault:
            raise builtins.type(fault)(f"{self.name}.{facet}: {fault}") from fault


class Attribute(Generic[T]):
    """One attribute in a class of control units; on a unit it reads and writes its value."""

    def __init__(self, description: Description) -> None:
        self.description = description

    def __set_name__(self, owner: builtins.type, name: str) -> None:
        if not self.description.name:
            self.description = replace(self.description, name=name)

    @overload
    def __get__(self, unit: None, owner: builtins.type) -> Attribute[T]: ...
    @overload
    def __get__(self, unit: ControlUnit, owner: builtins.type) -> T: ...
    def __get__(self, unit: ControlUnit | None, owner: builtins.type) -> Attribute[T] | T:
        return self if unit is None else cast("T", unit.read(self.description.name))

    def __set__(self, unit: ControlUnit, value: T) -> None:
        unit.write(self.description.name, value)


class Facets(TypedDict, total=False):
    """What else can be said of an attribute, in its physical unit; see `mds.v1.Attribute`."""

    unit: str
    minimum: float | str
    maximum: float | str
    warning_minimum: float | str
    warning_maximum: float | str
    increment: float | str
    offset: float | str
    conversion_factor: float | str
    warning_threshold: float | str
    error_threshold: float | str


@overload
def attribute(
    *,
    direction: Direction = ...,
    default: float | str | None = ...,
    description: str = ...,
    name: str = ...,
    **facets: Unpack[Facets],
) -> Attribute[float]: ...
@overload
def attribute(
    *,
    type: builtins.type[T],
    direction: Direction = ...,
    default: T | str | None = ...,
    description: str = ...,
    maximum_size_bytes: int = ...,
    mime_type: str = ...,
    name: str = ...,
    **facets: Unpack[Facets],
) -> Attribute[T]: ...
@overload
def attribute(
    *,
    type: ValueType | builtins.type,
    direction: Direction = ...,
    shape: Sequence[int] = ...,
    default: object = ...,
    description: str = ...,
    maximum_size_bytes: int = ...,
    mime_type: str = ...,
    name: str = ...,
    **facets: Unpack[Facets],
) -> Attribute[Any]: ...
def attribute(
    *,
    type: Any = float,
    direction: Direction = Direction.OUTPUT,
    shape: Sequence[int] = (),
    default: object = None,
    description: str = "",
    maximum_size_bytes: int = 0,
    mime_type: str = "",
    name: str = "",
    **facets: Unpack[Facets],
) -> Any:
    """Declares an attribute of a control unit; without more, a read-back of type DOUBLE.

    Args:
        type: `bool`, `int` (INT64), `float` (DOUBLE), `str`, `bytes`, `dict` or `list` (JSON),
            or a `ValueType` by name.
        shape: sizes of its dimensions, outermost first; 0: any size.
        default: value it starts with; the facility may say otherwise.
        maximum_size_bytes: of a text or of bytes; 0: no limit.
        name: where it cannot be that of the variable (`range_slit[mm]`).

    Raises:
        TypeError: a type or facet that does not exist.
        UnitFault: the default is no value of this attribute.
    """
    value_type = type if isinstance(type, ValueType) else PYTHON_TYPES.get(type)
    if value_type is None:
        known = ", ".join(str(getattr(each, "__name__", each)) for each in PYTHON_TYPES)
        raise TypeError(f"type is {type!r}; it should be one of {known}, or a ValueType.")
    if unknown := sorted(facets.keys() - set(FACETS)):
        raise TypeError(
            f"{unknown[0]!r} is no facet of an attribute; there are {', '.join(FACETS)}."
        )
    given = {"default_value": default, **facets}
    texts = {
        facet: written(value, value_type) for facet, value in given.items() if value is not None
    }
    found = Description(
        name=name,
        direction=direction,
        type=value_type,
        shape=tuple(shape),
        description=description,
        facets=texts,
        maximum_size_bytes=maximum_size_bytes,
        mime_type=mime_type,
    )
    found.default()
    return Attribute(found)
