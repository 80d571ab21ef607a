"""Lists as files: all that passes, in its order, or what is ticked of it; page after page, so that
100,000 things need no memory for 100,000."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from xml.sax.saxutils import escape, quoteattr

from control_units.client import Client
from control_units.importers.tables import table_writer
from webui.lists.kind import Column, ListKind
from webui.lists.reading import Page, Query, pages
from webui.translation import gettext_noop

T = TypeVar("T")

PAGE = 500
# What spreadsheets would run when it begins a field.
_RUN = ("=", "@", "+", "-", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes:
        begin, end: what stands around the things.
        one: the text of one thing, of its columns or of all of it.
        between: two of them.
        is_table: it is what can be declared, each field in its column, to be edited and imported.
    """

    title: str
    suffix: str
    content_type: str
    begin: Callable[[ListKind[Any], Sequence[Column[Any]]], str]
    one: Callable[[ListKind[Any], Sequence[Column[Any]], Any], str]
    between: str = ""
    end: str = ""
    empty: str = ""
    is_table: bool = False


def formats_of(kind: ListKind[Any]) -> Mapping[str, Format]:
    """The files that a list can be taken as; tables that are taken back are of units alone."""
    is_of_units = kind.noun == "control_unit"
    return {key: each for key, each in FORMATS.items() if is_of_units or not each.is_table}


async def pieces(
    client: Client,
    kind: ListKind[T],
    columns: Sequence[Column[T]],
    queries: Sequence[Query],
    format: Format,
) -> AsyncIterator[str]:
    """The text of a file, a piece for each page.

    Args:
        queries: that it has the things of, one after the other.

    Raises:
        ClientError: what the server says, or that none answers; the file then breaks off.
    """
    found = pages(kind.read, client, *(replace(each, size=PAGE, token="") for each in queries))
    if format.is_table:
        async for text in _table(found):
            yield text
        return
    before = format.begin(kind, columns)
    count = 0
    async for page in found:
        texts = [format.one(kind, columns, thing) for thing in page.things]
        if texts and count:
            before += format.between
        yield before + format.between.join(texts)
        before, count = "", count + len(texts)
    yield format.end if count else format.empty or format.end


async def _table(found: AsyncIterator[Page[Any]]) -> AsyncIterator[str]:
    """Which columns there are is known only when all has been read."""
    with table_writer() as writer:
        async for page in found:
            for unit in page.things:
                writer.add(unit.declared)
            yield ""
        for text in writer.lines():
            yield text


def _csv_head(_: ListKind[Any], columns: Sequence[Column[Any]]) -> str:
    return _csv_line([column.key for column in columns])


def _csv_row(_: ListKind[Any], columns: Sequence[Column[Any]], thing: Any) -> str:
    return _csv_line([_harmless(column.cell(thing).in_file) for column in columns])


def _csv_line(fields: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(fields)
    return written.getvalue()


def _harmless(text: str) -> str:
    """As a spreadsheet takes it for a text, whatever anybody has written there."""
    if text.startswith(_RUN) and not _is_number(text):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _json_one(kind: ListKind[Any], _: Sequence[Column[Any]], thing: Any) -> str:
    return json.dumps(kind.plain(thing), ensure_ascii=False)


def _yaml_one(kind: ListKind[Any], _: Sequence[Column[Any]], thing: Any) -> str:
    import yaml

    plain: Mapping[str, Any] = kind.plain(thing)
    return str(yaml.safe_dump([plain], allow_unicode=True, sort_keys=False, width=100))


def _votable_head(kind: ListKind[Any], columns: Sequence[Column[Any]]) -> str:
    fields = "\n".join(
        f'<FIELD name={quoteattr(column.key)} datatype="unicodeChar" arraysize="*"/>'
        for column in columns
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
        f"<RESOURCE><TABLE name={quoteattr(kind.path)}>\n{fields}\n<DATA><TABLEDATA>\n"
    )


def _votable_row(_: ListKind[Any], columns: Sequence[Column[Any]], thing: Any) -> str:
    fields = (f"<TD>{escape(_printable(column.cell(thing).in_file))}</TD>" for column in columns)
    return f"<TR>{''.join(fields)}</TR>\n"


def _printable(text: str) -> str:
    """Without the characters that XML has no way to say."""
    return "".join(each for each in text if each >= " " or each in "\t\n\r")


def _nothing(*_: object) -> str:
    return ""


FORMATS: Mapping[str, Format] = {
    "csv": Format("CSV", "csv", "text/csv", _csv_head, _csv_row),
    "table": Format(
        gettext_noop("CSV to edit and import"), "csv", "text/csv", _nothing, _nothing, is_table=True
    ),
    "json": Format(
        "JSON",
        "json",
        "application/json",
        lambda *_: "[\n",
        _json_one,
        between=",\n",
        end="\n]\n",
        empty="]\n",
    ),
    "yaml": Format("YAML", "yaml", "application/yaml", _nothing, _yaml_one, empty="[]\n"),
    "votable": Format(
        "VOTable",
        "vot",
        "application/x-votable+xml",
        _votable_head,
        _votable_row,
        end="</TABLEDATA></DATA></TABLE></RESOURCE>\n</VOTABLE>\n",
    ),
}
