"""Writes the types of the blocking face of the client from those of the asynchronous one.

    python tools/generate_client_face.py [--check]

A coroutine's result is what its blocking face returns; an asynchronous iterator or context is a
plain one. Python's types cannot say that of a whole class, so it is written down.
"""

import argparse
import ast
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parents[1] / "control_units" / "client"
FACE = CLIENT / "blocking.pyi"
SOURCES = (
    "changes.py",
    "collections.py",
    "mirror.py",
    "status_mirror.py",
    "operations.py",
    "client.py",
    "nouns.pyi",
)
HEAD = "# Made by tools/generate_client_face.py from the asynchronous client: change that one.\n"
# Public classes that stay as they are: they are values, or errors.
AS_THEY_ARE = frozenset({"NotReached", "Bell"})
DUNDERS = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "__contains__": "__contains__",
    "__getitem__": "__getitem__",
    "__iter__": "__iter__",
    "__len__": "__len__",
}
# They have to do with the loop: (class, method).
OF_THE_LOOP = frozenset({("Client", "channel"), ("Client", "caller")})
GENERATORS = frozenset({"AsyncIterator", "AsyncGenerator"})
PLAIN = {"AsyncIterator": "Iterator", "AsyncGenerator": "Iterator"}


class Face(ast.NodeTransformer):
    """Turns annotations of the asynchronous face into those of the blocking one."""

    def __init__(self, faced: frozenset[str]) -> None:
        self._faced = faced

    def of(self, annotation: ast.expr) -> ast.expr:
        """What an annotation becomes."""
        found = self.visit(annotation)
        assert isinstance(found, ast.expr)
        return found

    def visit_Constant(self, node: ast.Constant) -> ast.expr:  # a name that is written as text
        if isinstance(node.value, str):
            return self.of(ast.parse(node.value, mode="eval").body)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self._faced:
            return ast.Name(f"Sync{node.id}")
        if node.id.endswith("AsyncStub"):
            return ast.Name(f"{node.id.removesuffix('AsyncStub')}Stub")
        return ast.Name(PLAIN.get(node.id, node.id))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if name in ("Noun", "Service"):
            return self.of(node.slice)
        if name in GENERATORS:
            item = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
            return ast.Subscript(ast.Name("Iterator"), self.of(item))
        self.generic_visit(node)
        return node


def class_face(node: ast.ClassDef, face: Face) -> ast.ClassDef:
    """The blocking face of a class."""
    body: list[ast.stmt] = []
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            body.append(ast.AnnAssign(each.target, face.of(each.annotation), None, 1))
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            if (function := function_face(each, face, node.name)) is not None:
                body.append(function)
        elif isinstance(each, ast.Expr) and not body:
            body.append(plain(each))  # its docstring
    node.name = f"Sync{node.name}"
    node.bases = [face.of(base) for base in node.bases]
    node.body = body or [ast.Expr(ast.Constant(...))]
    return node


def function_face(
    node: ast.FunctionDef | ast.AsyncFunctionDef, face: Face, owner: str
) -> ast.FunctionDef | None:
    """The blocking face of a method; None: it has none."""
    name = DUNDERS.get(node.name, node.name)
    is_made_by_people = node.name == "__init__" and owner == "Client"
    is_inner = name.startswith("_") and name not in DUNDERS.values() and not is_made_by_people
    if is_inner or (owner, name) in OF_THE_LOOP:
        return None
    arguments = node.args
    several = (arguments.vararg, arguments.kwarg)
    for each in filter(None, (*arguments.args, *arguments.kwonlyargs, *several)):
        each.annotation = each.annotation and face.of(each.annotation)
    node.name = name
    node.returns = node.returns and face.of(node.returns)
    node.decorator_list = [each for each in node.decorator_list if isinstance(each, ast.Name)]
    first = node.body[0]
    docstring = [plain(first)] if ast.get_docstring(node) and isinstance(first, ast.Expr) else []
    node.body = [*docstring, ast.Expr(ast.Constant(...))]
    return ast.FunctionDef(**{field: getattr(node, field) for field in node._fields})


def plain(docstring: ast.Expr) -> ast.Expr:
    """A docstring in the words of those who do not wait asynchronously."""
    assert isinstance(docstring.value, ast.Constant)
    text = str(docstring.value.value)
    for asynchronous, blocking in (("async for", "for"), ("async with", "with"), ("await ", "")):
        text = text.replace(asynchronous, blocking)
    docstring.value.value = text
    return docstring


def written() -> str:
    """The whole file, as it shall be."""
    trees = [ast.parse((CLIENT / name).read_text()) for name in SOURCES]
    classes = [
        node
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name not in AS_THEY_ARE
    ]
    face = Face(frozenset(node.name for node in classes))
    body: list[ast.stmt] = [class_face(node, face) for node in classes]
    used = {node.id for each in body for node in ast.walk(each) if isinstance(node, ast.Name)}
    module = ast.Module([*imports(trees, used), *body], [])
    return laid_out(HEAD + ast.unparse(ast.fix_missing_locations(module)))


def imports(trees: list[ast.Module], used: set[str]) -> list[ast.stmt]:
    """Where the names come from that are used and not made here."""
    found: dict[str, str] = {"Iterator": "collections.abc"}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = alias.name.replace("AsyncStub", "Stub")
                found.setdefault(name, node.module)
    made = [ast.parse('R = TypeVar("R", bound=Message)').body[0]]
    found |= {"Callback": "control_units.client.mirror", "TypeVar": "typing"}
    used |= {"TypeVar", "Message"}
    return [
        *(
            ast.ImportFrom(module, [ast.alias(name)], 0)
            for name, module in sorted(found.items())
            if name in used
        ),
        *made,
    ]


def laid_out(text: str) -> str:
    ruff = [str(Path(sys.executable).parent / "ruff")]
    for verb in (["check", "--quiet", "--fix-only", "--select=I"], ["format"]):
        command = [*ruff, *verb, "--stdin-filename", "face.pyi", "-"]
        text = subprocess.run(
            command, input=text, capture_output=True, text=True, check=True
        ).stdout
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    text = written()
    if parser.parse_args().check:
        if FACE.exists() and FACE.read_text() == text:
            return 0
        print(f"{FACE.name} is not current. To make it again: make generate", file=sys.stderr)
        return 1
    FACE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
