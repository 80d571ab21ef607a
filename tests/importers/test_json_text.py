"""JSON as it is read: nothing lost, and what is broken named by line and column."""

import pytest

from control_units.importers.json_text import Broken, Number, parse, repeated_keys, write


@pytest.mark.parametrize("text", ["1.50", "-0", "1E400", "9007199254740993", "0.1000"])
def test_a_number_keeps_its_text(text: str) -> None:
    value = parse(text.encode())
    assert isinstance(value, Number)
    assert value == text
    assert write({"a": [value]}) == f'{{"a": [{text}]}}'


def test_a_number_is_told_from_a_text_of_digits() -> None:
    assert write(parse(b'["1", 1]')) == '["1", 1]'


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b'{\n  "us": [,]\n}', 2, 10),
        (b'{"a" 1}', 1, 6),
        (b"", 1, 1),
        (b'{"a":\n"\xff"}', 2, 2),
        (b'{"a": "NaN",\n "b": NaN}', 2, 7),
        (b'{"a": "\\ud83d"}', 1, 8),
    ],
)
def test_what_is_broken_is_named_by_line_and_column(data: bytes, line: int, column: int) -> None:
    with pytest.raises(Broken) as broken:
        parse(data)
    assert (broken.value.line, broken.value.column) == (line, column)
    assert broken.value.expected


def test_a_file_that_ends_too_early_names_what_was_never_closed() -> None:
    with pytest.raises(Broken, match="list opened at line 2, column 8 is not closed"):
        parse(b'{"note": "a ] in a text closes nothing",\n "us": [{"cu_desc": []}\n')


def test_depth_that_no_reader_can_follow_is_refused() -> None:
    with pytest.raises(Broken, match="nested too deeply"):
        parse(b"[" * 100_000)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse(b"\xef\xbb\xbf{}") == {}


def test_repeated_keys_are_found_and_the_first_counts() -> None:
    value = parse(b'{"us": [{"x": 1, "y y": 2, "x": 3, "y y": 4}]}')
    assert list(repeated_keys(value)) == [("us[0].x", "x"), ('us[0]["y y"]', "y y")]
    assert value == {"us": [{"x": "1", "y y": "2"}]}
