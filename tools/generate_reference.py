"""Makes the reference of the protocol out of the comments of its `.proto` files.

`python tools/generate_reference.py` writes a page for each of them into docs/reference/protocol, and
all comments by the full names of what they are about into proto/mds/v1/comments.json, which is
shipped: descriptors of an installed program have none.
`python tools/generate_reference.py --check` says which ones are not current and fails.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import generate_protos
import lint_protos
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)
from mds.v1 import access_pb2

FOLDER = generate_protos.ROOT / "docs" / "reference" / "protocol"
COMMENTS = generate_protos.ROOT / "proto" / "mds" / "v1" / "comments.json"
PACKAGE = ".mds.v1."
REASON = re.compile(r"\b[A-Z][A-Z_]+\b")
SCALARS = {
    number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()
}
MADE_FROM = "Made from [{source}](../../../{path}) by `make generate`; change that, not this."

Described = DescriptorProto | ServiceDescriptorProto | EnumDescriptorProto

# Numbers of the fields of descriptors, which the path of a comment is made of.
MESSAGES, ENUMS, SERVICES, MEMBERS = 4, 5, 6, 2


class Reference:
    """All pages, by file name."""

    def __init__(self, files: FileDescriptorSet) -> None:
        self._files = [file for file in files.file if file.package == PACKAGE.strip(".")]
        self._page_of = {
            f"{PACKAGE}{name}": page_name(file) for file in self._files for name in names_of(file)
        }
        reasons = next(
            each for file in self._files for each in file.enum_type if each.name == "ErrorReason"
        )
        self._reasons = {value.name for value in reasons.value}

    def pages(self) -> dict[str, str]:
        found = {page_name(file): self._page(file) for file in self._files}
        found["README.md"] = self._contents()
        return found

    def comments(self) -> str:
        """All comments as JSON, by full name: `mds.v1.ControlUnit.level`."""
        found = {name: text for file in self._files for name, text in comments_of(file) if text}
        return json.dumps(found, ensure_ascii=False, indent=0, sort_keys=True) + "\n"

    def _contents(self) -> str:
        lines = [
            "# The protocol",
            "",
            "Every call, field and refusal, from the comments in `proto/mds/v1`, by `make generate`.",
            "",
            "| page | services | messages and enums |",
            "|---|---|---|",
        ]
        for file in sorted(self._files, key=page_name):
            page = page_name(file)
            services = ", ".join(
                f"[{each.name}]({page}#service-{each.name.lower()})" for each in file.service
            )
            others = ", ".join(
                f"[{name}]({page}#{name.lower()})"
                for name in names_of(file)
                if not name.endswith(("Request", "Response"))
            )
            lines.append(f"| [{title(file)}]({page}) | {services} | {others} |")
        return "\n".join(lines) + "\n"

    def _page(self, file: FileDescriptorProto) -> str:
        comments = Comments(file)
        made = MADE_FROM.format(source=Path(file.name).name, path=f"proto/{file.name}")
        parts = [f"# {title(file)}", made]
        for position, service in enumerate(file.service):
            parts += self._service(service, comments, (SERVICES, position))
        for position, message in enumerate(file.message_type):
            parts += self._message(message, comments, (MESSAGES, position))
        for position, enum in enumerate(file.enum_type):
            parts += enum_parts(enum, comments, (ENUMS, position))
        return "\n\n".join(parts) + "\n"

    def _service(
        self, service: ServiceDescriptorProto, comments: "Comments", path: tuple[int, ...]
    ) -> Iterator[str]:
        yield f"## Service {service.name}"
        yield comments.at(path)
        for position, method in enumerate(service.method):
            yield f"### {service.name}.{method.name}"
            yield self._with_reasons(comments.at((*path, MEMBERS, position)))
            asked = self._link(method.input_type, stream=method.client_streaming)
            answered = self._link(method.output_type, stream=method.server_streaming)
            yield f"{asked} → {answered}{route_of(method)}{access_of(method)}"

    def _with_reasons(self, text: str) -> str:
        """A comment whose refusals lead to what they mean."""
        return REASON.sub(
            lambda match: (
                f"[{match[0]}](error_reason.md#errorreason)"
                if match[0] in self._reasons
                else match[0]
            ),
            text,
        )

    def _message(
        self, message: DescriptorProto, comments: "Comments", path: tuple[int, ...]
    ) -> Iterator[str]:
        yield f"## {message.name}"
        yield comments.at(path)
        if not message.field:
            return
        rows = ["| field | type | |", "|---|---|---|"]
        for position, field in enumerate(message.field):
            told = comments.in_cell((*path, MEMBERS, position))
            rows.append(f"| `{field.name}` | {self._type_of(field, message)} | {told} |")
        yield "\n".join(rows)

    def _type_of(self, field: FieldDescriptorProto, message: DescriptorProto) -> str:
        entries = {entry.name: entry for entry in message.nested_type if entry.options.map_entry}
        entry = entries.get(field.type_name.rpartition(".")[2])
        if entry is not None:
            key, value = (self._element_of(each) for each in entry.field)
            return f"map of {key} to {value}"
        found = self._element_of(field)
        if field.label == FieldDescriptorProto.LABEL_REPEATED:
            return f"list of {found}"
        if field.proto3_optional:
            return f"{found}, optional"
        if field.HasField("oneof_index"):
            return f"{found}, one of `{message.oneof_decl[field.oneof_index].name}`"
        return found

    def _element_of(self, field: FieldDescriptorProto) -> str:
        return self._link(field.type_name) if field.type_name else SCALARS[field.type]

    def _link(self, type_name: str, *, stream: bool = False) -> str:
        page = self._page_of.get(type_name)
        name = type_name.removeprefix(PACKAGE).removeprefix(".")
        found = f"[{name}]({page}#{name.lower()})" if page else f"`{name}`"
        return f"stream of {found}" if stream else found


class Comments:
    """What stands above the parts of a file, by their paths in its descriptor."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self._text = {
            tuple(location.path): location.leading_comments
            for location in file.source_code_info.location
        }

    def at(self, path: tuple[int, ...]) -> str:
        lines = self._text.get(path, "").splitlines()
        return "\n".join(line.removeprefix(" ").rstrip() for line in lines).strip()

    def in_cell(self, path: tuple[int, ...]) -> str:
        return " ".join(self.at(path).split()).replace("|", "\\|")


def comments_of(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """Full names of what is in a file, with what stands above each."""
    comments = Comments(file)
    things: list[tuple[int, int, Described]] = [
        *((MESSAGES, place, each) for place, each in enumerate(file.message_type)),
        *((SERVICES, place, each) for place, each in enumerate(file.service)),
        *((ENUMS, place, each) for place, each in enumerate(file.enum_type)),
    ]
    for number, position, thing in things:
        name = f"{file.package}.{thing.name}"
        yield name, comments.at((number, position))
        for place, member in enumerate(members_of(thing)):
            yield f"{name}.{member}", comments.at((number, position, MEMBERS, place))


def members_of(thing: Described) -> list[str]:
    if isinstance(thing, DescriptorProto):
        return [each.name for each in thing.field]
    if isinstance(thing, ServiceDescriptorProto):
        return [each.name for each in thing.method]
    return [each.name for each in thing.value]


def enum_parts(
    enum: EnumDescriptorProto, comments: Comments, path: tuple[int, ...]
) -> Iterator[str]:
    yield f"## {enum.name}"
    yield comments.at(path)
    rows = ["| value | number | |", "|---|---|---|"]
    for position, value in enumerate(enum.value):
        told = comments.in_cell((*path, MEMBERS, position))
        rows.append(f"| `{value.name}` | {value.number} | {told} |")
    yield "\n".join(rows)


def route_of(method: MethodDescriptorProto) -> str:
    """How the call is made over HTTP, where it can be."""
    rule = method.options.Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    if verb is None:
        return ""
    body = f", body `{rule.body}`" if rule.body else ""
    return f" · `{verb.upper()} {getattr(rule, verb)}`{body}"


def access_of(method: MethodDescriptorProto) -> str:
    """What the call takes of its caller, where callers are asked who they are."""
    access = method.options.Extensions[access_pb2.access]
    role = access_pb2.Role.Name(access.role).removeprefix("ROLE_").lower()
    return f" · {role}{', or a program' if access.programs else ''}"


def names_of(file: FileDescriptorProto) -> list[str]:
    """Names of its messages, then of its enums."""
    messages = [message.name for message in file.message_type]
    return messages + [enum.name for enum in file.enum_type]


def page_name(file: FileDescriptorProto) -> str:
    return f"{Path(file.name).stem}.md"


def title(file: FileDescriptorProto) -> str:
    return Path(file.name).stem.replace("_", " ").capitalize()


def make_reference() -> Reference:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "protocol.binpb")
        lint_protos.describe(generate_protos.PROTO, target)
        return Reference(FileDescriptorSet.FromString(target.read_bytes()))


def make_pages() -> dict[str, str]:
    return make_reference().pages()


def stale(pages: dict[str, str]) -> list[str]:
    """Names of pages that differ from what the protocol would give today."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    return sorted(
        name for name in there.keys() | pages.keys() if there.get(name) != pages.get(name)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if not current")
    reference = make_reference()
    pages, comments = reference.pages(), reference.comments()
    names = stale(pages)
    is_current = COMMENTS.exists() and COMMENTS.read_text(encoding="utf-8") == comments
    if parser.parse_args().check:
        if not is_current:
            sys.exit(f"{COMMENTS.name} is not current. Run: make generate")
        if names:
            sys.exit(f"Not current in {FOLDER.name}: {', '.join(names)}. Run: make generate")
        return
    COMMENTS.write_text(comments, encoding="utf-8")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name in pages:
            (FOLDER / name).write_text(pages[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()


if __name__ == "__main__":
    main()
