"""YAML read as the values that JSON has, texts and numbers as they were written."""

import yaml

from control_units.importers.json_text import (
    Broken,
    Number,
    RepeatedKeys,
    Value,
    decode,
    line_and_column,
)

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_FLAGS = {"true": True, "false": False}


def parse_yaml(data: bytes) -> Value:
    """The value of a YAML file.

    Raises:
        Broken: it is not UTF-8, not YAML, or uses an alias, which this format does not need.
    """
    text = decode(data)
    try:
        node = yaml.compose(text, Loader=_LOADER)
        return None if node is None else _Values().of(node)
    except yaml.MarkedYAMLError as error:
        raise _broken(error) from None
    except yaml.reader.ReaderError as error:
        line, column = line_and_column(text, error.position)
        # libyaml tells the character by its number, the reader in Python by itself.
        number = error.character if isinstance(error.character, int) else ord(error.character)
        found = f"the character U+{number:04X} cannot stand here"
        raise Broken(line, column, found, "YAML, with this character escaped") from None
    except RecursionError:
        raise Broken(1, 1, "it is nested too deeply", "at most some hundred levels") from None


def _broken(error: yaml.MarkedYAMLError) -> Broken:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    context = f"{error.context}: " if error.context else ""
    return Broken(line, column, f"{context}{error.problem}", "YAML without a fault at this place")


class _Values:
    """Nodes as values; each node once, so that aliases cannot make much out of little."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def of(self, node: yaml.Node) -> Value:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self._seen:
            raise _fault(node, "an alias of what stands here", "the value itself, written again")
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.of(inner) for inner in node.value]
        found = RepeatedKeys()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _fault(key_node, "a key that is a list or an object", "a text as a key")
            key, value = key_node.value, self.of(value_node)
            if key in found:
                found.repeated = (*found.repeated, key)
            else:
                found[key] = value
        return found


def _scalar(node: yaml.ScalarNode) -> Value:
    text: str = node.value
    if node.style:
        return text
    if node.tag == f"{_TAG}null":
        return None
    if node.tag == f"{_TAG}bool":
        return _FLAGS.get(text, text)
    if node.tag in {f"{_TAG}int", f"{_TAG}float"}:
        return Number(text)
    return text


def _fault(node: yaml.Node, found: str, expected: str) -> Broken:
    return Broken(node.start_mark.line + 1, node.start_mark.column + 1, found, expected)
