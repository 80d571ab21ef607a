"""Finds text that people read and that no catalogue can reach: in templates, modules and scripts."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from webui.rendering import environment

_WORD = re.compile(r"[^\W\d_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names of programs, keys, formats and units: the same in every language.
SAME_EVERYWHERE = _words(
    "mds curl pid Ctrl K Enter Esc g j k x e s ms min h d CSV JSON YAML id svg true false explain attachment"
)
READ_ATTRIBUTES = frozenset({"title", "aria-label", "placeholder", "alt", "aria-description"})
UNREAD_ELEMENTS = frozenset({"kbd", "script", "style", "symbol"})
# What stands between these goes into the catalogue.
MARKS = frozenset({"_", "gettext", "ngettext", "gettext_noop"})
# Who calls these speaks to programmers and logs, not to people at the page.
UNREAD_CALLS = _words(
    """debug info warning error exception log compile Field KeyError ValueError RuntimeError
    LookupError Unreachable LinkLost NotBuilt PortTaken AppKey NoSuchLanguage cast getattr sub match partition create_task"""
)
# Two words side by side, or one that begins a sentence: prose, and no name.
_PROSE = re.compile(r"[^\W\d_]{2,},? [^\W\d_]+|^[A-Z][a-z]+[.!?…]?$")
# A word inside an f-string, between blanks: what stands around it is put together by hand.
_PIECE = re.compile(r"(?:^|\s)[a-z]{3,}(?=[\s,;]|$)")
# Parts of filters, of markup, of other formats.
_NOTATION = re.compile(r'\S*[=<>"/_]\S*')
# Standing alone in a module: parts of headers and of cookies.
NO_PROSE = _words("Vary Location Server Strict Lax View Origin Host Synced Bearer desc")
_MADE_UP = re.compile(r'[\w-]+="[^"]*"|\b(?:data|aria)-[\w-]+')
_JS_TEXT = re.compile(
    r"""(?P<call>[\w.?]*\(?)(?P<quote>["'`])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)"""
)
_JS_COMMENT = re.compile(r"(?m)(?:^|\s)//[^\n]*$|/\*[\s\S]*?\*/")
_JS_SELECTORS = re.compile(
    r"(?:querySelector|querySelectorAll|closest|matches|matchMedia)(?:\?\.)?\($"
)
_CSS_CONTENT = re.compile(r'content:\s*"([^"]*)"')
_JS_EXPRESSION = re.compile(r"\$\{[^}]*\}")


def bare_in_template(source: str) -> list[str]:
    """Text nodes and attributes that people read, outside `_()` and `{% trans %}`."""
    reader = _Reader()
    reader.feed("".join(_shown(source)))
    reader.close()
    return reader.found


def _shown(source: str) -> Iterator[str]:
    """What reaches the browser untranslated: the template's own text, and texts that stand alone
    in an expression; what the catalogue knows is left out."""
    is_translated = False
    depth = 0
    block: list[str] = []
    for _line, kind, text in environment().lex(source):
        if kind == "data" and not is_translated:
            yield text
        elif kind == "block_begin":
            block = []
        elif kind == "name" and len(block) == 0:
            block.append(text)
            is_translated = is_translated or text == "trans"
            is_translated = is_translated and text != "endtrans"
        elif kind == "operator":
            depth += (text in "([{") - (text in ")]}")
        elif kind == "variable_begin":
            depth, block = 0, [""]
        elif kind == "variable_end":
            yield "\N{OBJECT REPLACEMENT CHARACTER}"
        elif kind == "string" and block == [""] and depth == 0:
            yield text[1:-1]


class _Reader(HTMLParser):
    """Reads HTML as a browser does, as far as text is concerned."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in UNREAD_ELEMENTS
        for name, value in attrs:
            if name in READ_ATTRIBUTES and _says_something(_NOTATION.sub("", value or "")):
                self.found.append(f"{name}={value!r}")

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in UNREAD_ELEMENTS

    def handle_data(self, data: str) -> None:
        if not self._unread and _says_something(_MADE_UP.sub("", data)):
            self.found.append(" ".join(data.split()))


def _says_something(text: str) -> bool:
    return any(word not in SAME_EVERYWHERE for word in _WORD.findall(text))


def bare_in_module(source: str) -> list[str]:
    """Prose in a module that is neither marked, nor a docstring, nor for programmers."""
    tree = ast.parse(source)
    skipped = {id(node) for part in ast.walk(tree) for node in _not_read(part)}
    pieces = {id(n) for f in ast.walk(tree) if isinstance(f, ast.JoinedStr) for n in f.values}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in skipped
        and _is_prose(node.value, is_piece=id(node) in pieces)
    ]


def _is_prose(text: str, *, is_piece: bool) -> bool:
    rest = _NOTATION.sub("", text)
    found = _PROSE.search(rest.strip()) or (is_piece and _PIECE.search(rest))
    return bool(found) and rest.strip() not in NO_PROSE and _says_something(rest)


def _not_read(node: ast.AST) -> Iterator[ast.AST]:
    """The constants below a node that need no mark."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value  # a docstring
    if isinstance(node, ast.Call) and _name(node.func) in MARKS | UNREAD_CALLS:
        for argument in [*node.args, *(each.value for each in node.keywords)]:
            yield from ast.walk(argument)
    if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
        yield from ast.walk(node.annotation)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
        yield from ast.walk(node.returns)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def bare_in_script(source: str) -> list[str]:
    """Prose in a module of the browser: its texts come from the page."""
    code = _JS_COMMENT.sub("", source)
    return [
        found["text"]
        for found in _JS_TEXT.finditer(code)
        if not _JS_SELECTORS.search(found["call"])
        and re.search(r"\s", text := _JS_EXPRESSION.sub("", found["text"]))
        and re.search(r"[a-z]{2}", text)
    ]


def bare_in_style(source: str) -> list[str]:
    """Words that a style sheet puts before or behind something."""
    return [text for text in _CSS_CONTENT.findall(source) if _WORD.search(text)]
