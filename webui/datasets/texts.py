"""Fields of messages as texts that people type, by what the contract says of their types.

Numbers and words are written plainly, lists one in a line, maps as `name=value` one in a line. An
empty text is a field that is not set.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from webui.names import id_of
from webui.translation import _

# Descriptors have two types each, of two implementations of which one runs.
Field = Any
Enum = Any
M = TypeVar("M", bound=Message)

TRUE = "true"
_LARGEST = {FieldDescriptor.CPPTYPE_INT32: 2**31 - 1, FieldDescriptor.CPPTYPE_UINT32: 2**32 - 1}
_NEWLINE = re.compile(r"(\\?)\\n")


class Misread(ValueError):
    """A text that its field cannot hold.

    Attributes:
        path: of the field.
        message: what would be right, for people.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def text_of(message: Message, path: str, *, collection: str = "") -> str:
    """What a field holds; `path` may lead through messages: `launch.command`.

    Args:
        collection: of the resources that the field names by their ids: `templates`.
    """
    holder, name = _holder(message, path)
    field, value = _field(holder, name), getattr(holder, name)
    if _is_map(field):
        return "\n".join(_line(key, value[key]) for key in sorted(value))
    if field.is_repeated and collection:
        return "\n".join(id_of(each) for each in value)
    if field.is_repeated:
        return ", ".join(str(each) for each in value)
    if collection:
        return id_of(value)
    if field.enum_type:
        return word_of(field.enum_type, value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return TRUE if value else ""
    return str(value) if value else ""


def put_text(message: Message, path: str, text: str, *, collection: str = "") -> None:
    """Makes a field what a text says. Lines of a map that are as they were drawn keep what they
    stand for: values may have white space around them, and names an equals sign.

    Raises:
        Misread: it cannot hold that.
    """
    holder, name = _holder(message, path)
    field = _field(holder, name)
    before = dict(getattr(holder, name)) if _is_map(field) else {}
    holder.ClearField(name)
    if not text:
        return
    if _is_map(field):
        getattr(holder, name).update(_pairs(path, text, before))
    elif field.is_repeated and collection:
        lines = [line.strip() for line in text.replace(",", "\n").splitlines()]
        getattr(holder, name).extend(f"{collection}/{line}" for line in lines if line)
    elif field.is_repeated:
        words = re.split(r"[\s,×x]+", text.strip())
        getattr(holder, name).extend(_number(path, field, word) for word in words)
    else:
        setattr(holder, name, _scalar(path, field, text, collection))


def without(message: M, fields: Iterable[str]) -> M:
    """A copy in which some fields are not set."""
    copy = type(message)()
    copy.CopyFrom(message)
    for field in fields:
        copy.ClearField(field)
    return copy


def words_in(enum: Enum) -> list[str]:
    """Its values without what all their names begin with, save the one that is not set."""
    return [word for each in enum.values if (word := word_of(enum, each.number))]


def word_of(enum: Enum, number: int) -> str:
    """`RUNNING`; empty: not set."""
    known = enum.values_by_number.get(number)
    return known.name.removeprefix(_prefix(enum)) if number and known else ""


def _scalar(path: str, field: Field, text: str, collection: str) -> Any:
    if collection:
        return f"{collection}/{text}"
    if field.enum_type:
        known = field.enum_type.values_by_name.get(_prefix(field.enum_type) + text)
        if known is None:
            words = ", ".join(words_in(field.enum_type))
            raise Misread(path, _("right would be one of %(words)s.") % {"words": words})
        return known.number
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return text == TRUE
    return _number(path, field, text) if field.cpp_type in _LARGEST else text


def _number(path: str, field: Field, text: str) -> int:
    is_signed = field.cpp_type == FieldDescriptor.CPPTYPE_INT32
    if re.fullmatch(r"-?[0-9]{1,10}" if is_signed else r"[0-9]{1,10}", text):
        number = int(text)
        if -_LARGEST[field.cpp_type] <= number <= _LARGEST[field.cpp_type]:
            return number
    raise Misread(path, _("right would be a whole number."))


def _pairs(path: str, text: str, before: Mapping[str, str]) -> dict[str, str]:
    """
    Args:
        before: what was there.
    """
    drawn = {_line(key, value).strip(): (key, value) for key, value in before.items()}
    pairs: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.split("\n"))):
        if line in drawn:
            pairs.update([drawn[line]])
            continue
        name, sign, value = line.partition("=")
        if not sign:
            told = _("right would be name=value in each line, not %(line)r.") % {"line": line}
            raise Misread(path, told)
        pairs[name.strip()] = _unescaped(value.strip())
    return pairs


def _line(key: str, value: str) -> str:
    """Of a map, in one line: a line break is written `\\n`, and one of old `\\r`."""
    lines = f"{key}={value}".replace("\\n", "\\\\n").replace("\n", "\\n")
    return lines.replace("\r", "\\r")


def _unescaped(text: str) -> str:
    return _NEWLINE.sub(lambda found: "\\n" if found[1] else "\n", text)


def _holder(message: Message, path: str) -> tuple[Message, str]:
    *steps, name = path.split(".")
    for step in steps:
        message = getattr(message, step)
    return message, name


def _field(message: Message, name: str) -> Field:
    return message.DESCRIPTOR.fields_by_name[name]


def _is_map(field: Field) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def _prefix(enum: Enum) -> str:
    name: str = enum.values[0].name
    return name.removesuffix("UNSPECIFIED")
