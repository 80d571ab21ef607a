"""Values of a file as resources, with everything that cannot be taken named by its place."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from control_units.importers.facility.shape import (
    REFERENCES,
    SET_BY_SERVER,
    TIMESTAMP,
    is_map,
    words_of,
)
from control_units.importers.findings import Findings
from control_units.importers.ids import fault_of
from control_units.importers.json_text import Number, Value, write
from control_units.importers.places import element, member

_WHOLE = re.compile(r"[+-]?(\d{1,20}|0[xX][0-9a-fA-F]{1,16})\Z", re.ASCII)
_RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
}


class Decoder:
    """Reads one resource after the other, all problems into the same findings."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._name = ""

    def resource(self, resource: Message, value: Value, place: str, collection: str) -> bool:
        """Fills a resource from an entry.

        Returns:
            Whether nothing was wrong with the entry.
        """
        before = len(self._findings.problems)
        if not isinstance(value, dict):
            self._problem(place, "an object", value)
            return False
        resource_id = _text_or_none(value.get("id"))
        self._name = f"{collection}/{resource_id or ''}"
        fault = fault_of(resource_id or "")
        if fault is not None:
            at = member(place, "id") if "id" in value else place
            self._problem(at, fault, value.get("id"), reason="INVALID_ID")
        setattr(resource, "name", self._name)  # noqa: B010 - any resource
        fields = {name: inner for name, inner in value.items() if name != "id"}
        self._fill(resource, fields, place, without=SET_BY_SERVER | {"name"})
        return len(self._findings.problems) == before

    def _fill(
        self,
        message: Message,
        fields: dict[str, Value],
        place: str,
        *,
        without: frozenset[str] = frozenset(),
    ) -> None:
        known = _fields(message.DESCRIPTOR)
        for name, value in fields.items():
            at = member(place, name)
            field = known.get(name)
            if field is None or name in without:
                self._unknown(at, name, set(known) - without | ({"id"} if without else set()))
            elif value is None:
                continue
            elif is_map(field):
                self._fill_map(message, field, value, at)
            elif field.is_repeated:
                self._fill_list(message, field, value, at)
            else:
                self._fill_one(message, field, value, at)

    def _unknown(self, place: str, name: str, known: Iterable[str]) -> None:
        close = get_close_matches(name, sorted(known), n=1)
        hint = f"perhaps {close[0]!r}; " if close else ""
        expected = f"{hint}one of {', '.join(sorted(known))}"
        self._findings.problem(
            place,
            expected,
            value=name,
            name=self._name,
            message=f"{place} is no field that is known; right would be {expected}.",
        )

    def _fill_map(self, message: Message, field: FieldDescriptor, value: Value, at: str) -> None:
        if not isinstance(value, dict):
            self._problem(at, "an object of texts", value)
            return
        for key, inner in value.items():
            text = _text_or_none(inner)
            if text is None:
                self._problem(member(at, key), "a text", inner)
            else:
                getattr(message, field.name)[key] = text

    def _fill_list(self, message: Message, field: FieldDescriptor, value: Value, at: str) -> None:
        if not isinstance(value, list):
            self._problem(at, "a list", value)
            return
        target = getattr(message, field.name)
        for index, inner in enumerate(value):
            if field.message_type is None:
                found = self._single(field, inner, element(at, index))
                if found is not None:
                    target.append(found)
            elif isinstance(inner, dict):
                self._fill(target.add(), inner, element(at, index))
            else:
                self._problem(element(at, index), "an object", inner)

    def _fill_one(self, message: Message, field: FieldDescriptor, value: Value, at: str) -> None:
        if field.message_type is None:
            found = self._single(field, value, at)
            if found is not None:
                setattr(message, field.name, found)
        elif field.message_type.full_name == TIMESTAMP:
            self._fill_time(getattr(message, field.name), value, at)
        elif isinstance(value, dict):
            inner = getattr(message, field.name)
            inner.SetInParent()
            self._fill(inner, value, at)
        else:
            self._problem(at, "an object", value)

    def _fill_time(self, time: Message, value: Value, at: str) -> None:
        try:
            time.FromJsonString(value if isinstance(value, str) else "")  # type: ignore[attr-defined]
        except ValueError:
            self._problem(at, "a time like 2024-05-31T12:00:00Z", value)

    def _single(self, field: FieldDescriptor, value: Value, at: str) -> str | int | bool | None:
        """A value for a field that is no message; None, and a problem, where it is none."""
        if field.enum_type is not None:
            return self._word(field.enum_type, value, at)
        if field.type == FieldDescriptor.TYPE_BOOL:
            if isinstance(value, bool):
                return value
            self._problem(at, "true or false", value)
            return None
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._text(field, value, at)
        smallest, largest = _RANGES[field.type]
        if isinstance(value, Number) and _WHOLE.match(value):
            number = int(value, 16 if "x" in value.lower() else 10)
            if smallest <= number <= largest:
                return number
        self._problem(at, f"a whole number from {smallest} to {largest}", value)
        return None

    def _text(self, field: FieldDescriptor, value: Value, at: str) -> str | None:
        text = _text_or_none(value)
        if text is None:
            self._problem(at, "a text", value)
            return None
        collection = REFERENCES.get(field.full_name)
        return f"{collection}/{text}" if collection and text else text

    def _word(self, enum: EnumDescriptor, value: Value, at: str) -> int | None:
        words = words_of(enum)
        number = words.get(value) if isinstance(value, str) else None
        if number is None:
            self._problem(at, f"one of {', '.join(words)}", value)
        return number

    def _problem(
        self, place: str, expected: str, value: Value, *, reason: str = "INVALID_FIELD"
    ) -> None:
        text = _text_or_none(value)
        self._findings.problem(
            place,
            expected,
            value=write(value) if text is None else text,
            reason=reason,
            name=self._name,
        )


@cache
def _fields(descriptor: Descriptor) -> dict[str, FieldDescriptor]:
    return dict(descriptor.fields_by_name)


def _text_or_none(value: Value) -> str | None:
    """A text, or a number or flag that stands unquoted where a text is due, as written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else None
